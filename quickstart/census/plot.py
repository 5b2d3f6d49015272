"""A scatter plot of all modules as one SVG element: how long a module is against how often its way divides.

It carries its own style for light and dark, so it works inside a page and as a file of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 430
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 18, 46
LABELLED = 10
"""So many modules at most get their name beside their point."""

_STYLE = """
.census-plot { font: 12px system-ui, sans-serif; }
.census-plot .grid { stroke: #dfe6e1; }
.census-plot text { fill: #66756c; }
.census-plot text.name { fill: #1b2620; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
.census-plot circle { fill: #2f8f5b; fill-opacity: .45; }
.census-plot circle:hover, .census-plot circle.named { fill-opacity: 1; }
@media (prefers-color-scheme: dark) {
  .census-plot .grid { stroke: #2b3731; }
  .census-plot text { fill: #93a39a; }
  .census-plot text.name { fill: #e4ece7; stroke: #141a17; }
  .census-plot circle { fill: #5fc98f; } }
"""


@dataclass(frozen=True, slots=True)
class Point:
    """A module: lines across, branches up."""

    name: str
    lines: int
    branches: int


def scatter(points: Sequence[Point]) -> str:
    """The plot, on logarithmic scales. Modules without a line or a branch sit on the axes."""
    across = _Scale(max((p.lines for p in points), default=1), LEFT, WIDTH - RIGHT)
    up = _Scale(max((p.branches for p in points), default=1), HEIGHT - BOTTOM, TOP)
    labels = _place(
        [_Candidate(across.at(p.lines), up.at(p.branches), p.name) for p in _notable(points)],
        [(across.at(p.lines), up.at(p.branches)) for p in points],
    )
    parts = [
        f'<svg class="census-plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' role="img" aria-label="Modules by lines and branches">',
        f"<style>{_STYLE}</style>",
    ]
    parts += (_vertical(across.at(tick), tick) for tick in across.ticks())
    parts += (_horizontal(up.at(tick), tick) for tick in up.ticks())
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">lines of the module</text>')
    parts.append(
        f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2:.0f})">branches</text>'
    )
    chosen = {label.name for label in labels}
    for point in sorted(points, key=lambda p: p.name in chosen):
        mark = ' class="named"' if point.name in chosen else ""
        parts.append(
            f'<circle{mark} cx="{across.at(point.lines):.1f}" cy="{up.at(point.branches):.1f}" '
            f'r="{4.5 if mark else 3.5}"><title>{escape(point.name)}: {point.lines:,} lines, '
            f"{point.branches:,} branches</title></circle>"
        )
    parts += (label.svg() for label in labels)
    parts.append("</svg>")
    return "\n".join(parts)


class _Scale:
    """Logarithmic from 1 to the largest value; smaller ones sit at its start."""

    def __init__(self, largest: int, start: float, end: float) -> None:
        self._top = max(1.0, math.log10(max(largest, 1)) * 1.03)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        return self._start + (self._end - self._start) * math.log10(max(value, 1)) / self._top

    def ticks(self) -> list[int]:
        return [10**power for power in range(int(self._top) + 1)]


def _vertical(x: float, tick: int) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{tick:,}</text>'
    )


def _horizontal(y: float, tick: int) -> str:
    shown = f"{tick:,}" if tick > 1 else "≤ 1"
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
    )


def _notable(points: Sequence[Point]) -> list[Point]:
    """The modules that people may want to know by name: most branches, most lines, most branches a line."""
    dense = [p for p in points if p.lines >= 50 and p.branches >= 5]
    rankings = (
        sorted(points, key=lambda p: -p.branches)[:8],
        sorted(points, key=lambda p: -p.lines)[:4],
        sorted(dense, key=lambda p: -p.branches / p.lines)[:4],
        sorted(dense, key=lambda p: p.branches / p.lines)[:3],
    )
    return list(dict.fromkeys(point for ranking in rankings for point in ranking))


@dataclass(frozen=True, slots=True)
class _Candidate:
    x: float
    y: float
    name: str

    def label(self, *, right: bool) -> _Label:
        width = 6.6 * len(self.name)
        left = self.x + 8 if right else self.x - 8 - width
        return _Label(left, left + width, self.y, self.name, right=right)


@dataclass(frozen=True, slots=True)
class _Label:
    left: float
    right_end: float
    y: float
    name: str
    right: bool

    def covers(self, x: float, y: float) -> bool:
        return self.left - 3 < x < self.right_end + 3 and abs(y - self.y) < 8

    def meets(self, other: _Label) -> bool:
        return self.left < other.right_end and other.left < self.right_end and abs(self.y - other.y) < 13

    def inside(self) -> bool:
        return self.left > LEFT and self.right_end < WIDTH - 2 and self.y > TOP

    def svg(self) -> str:
        x, anchor = (self.left, "start") if self.right else (self.right_end, "end")
        return f'<text class="name" x="{x:.1f}" y="{self.y + 4:.1f}" text-anchor="{anchor}">{escape(self.name)}</text>'


def _place(candidates: Sequence[_Candidate], dots: Sequence[tuple[float, float]]) -> list[_Label]:
    """A label left or right of its point, where it hides less; none where it would lie on another one."""
    placed: list[_Label] = []
    for candidate in candidates:
        options = [candidate.label(right=right) for right in (True, False)]
        free = [option for option in options if option.inside() and not any(option.meets(other) for other in placed)]
        if free and len(placed) < LABELLED:
            placed.append(min(free, key=lambda option: sum(option.covers(*dot) for dot in dots)))
    return placed
