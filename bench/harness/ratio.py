"""What is asked of a figure, and whether it is reached. Bars are ratios to a peer wherever one can be measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`at_most` or `at_least` a limit; `of` says what the value is a ratio to, or is empty for a plain figure."""

    at_most: float | None = None
    at_least: float | None = None
    of: str = ""
    show: Callable[[float], str] = "{:.2f}".format

    def met(self, value: float) -> bool:
        """Whether the value reaches the bar."""
        if self.at_most is not None and value > self.at_most:
            return False
        return self.at_least is None or value >= self.at_least

    def __str__(self) -> str:
        sign, limit = ("≤", self.at_most) if self.at_most is not None else ("≥", self.at_least)
        text = "" if limit is None else f"{sign} {self.show(limit)}"
        return f"{text} times {self.of}" if self.of else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A value held against its bar."""

    value: float
    bar: Bar

    def __str__(self) -> str:
        shown = self.bar.show(self.value)
        return f"{shown} ({'met' if self.bar.met(self.value) else 'missed'}: {self.bar})"
