"""The one table: a row a figure, a column a system. Rich on a terminal, plain text elsewhere."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench.harness.ratio import Verdict


@dataclass(slots=True, kw_only=True)
class Row:
    """One figure of ours, and what the peers reach at the same work."""

    what: str
    ours: str
    peers: dict[str, str] = field(default_factory=dict)
    """By the name of the peer; a reason where it has no figure."""
    verdict: Verdict | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    """The same for programs, in base units (seconds, bytes, a second)."""


def milliseconds(seconds: float) -> str:
    """`0.42 ms`, `12 ms`, `1.3 s`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def per_second(rate: float) -> str:
    """`12,340/s`."""
    return f"{rate:,.0f}/s"


def show(rows: Sequence[Row], peers: Sequence[str], notes: Sequence[str]) -> None:
    """Print the table and the notes below it."""
    if sys.stdout.isatty():
        _show_rich(rows, peers, notes)
    else:
        _show_plain(rows, peers, notes)


def machine() -> str:
    """What the figures were measured on."""
    import os

    return f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _cells(row: Row, peers: Sequence[str]) -> list[str]:
    return [row.what, row.ours, *(row.peers.get(peer, "-") for peer in peers), str(row.verdict or "")]


def _show_rich(rows: Sequence[Row], peers: Sequence[str], notes: Sequence[str]) -> None:
    table = Table(title=machine(), title_justify="left", header_style="bold")
    table.add_column("what")
    table.add_column("azolla-local", justify="right", style="bold")
    for peer in peers:
        table.add_column(peer, justify="right")
    table.add_column("bar")
    for row in rows:
        cells = _cells(row, peers)
        if row.verdict:
            colour = "green" if row.verdict.bar.met(row.verdict.value) else "red"
            cells[-1] = f"[{colour}]{cells[-1]}[/{colour}]"
        table.add_row(*cells)
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note, style="dim", highlight=False)


def _show_plain(rows: Sequence[Row], peers: Sequence[str], notes: Sequence[str]) -> None:
    lines = [["what", "azolla-local", *peers, "bar"], *(_cells(row, peers) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    print(machine())
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for note in notes:
        print(note)
