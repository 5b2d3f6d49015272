"""Progress of long work, on stderr only: a bar on a terminal, a line a phase elsewhere, nothing with `--quiet`."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from sandbox.cli.output import Output


class Progress:
    """A count that rises to `total`, or without end if that is None. Use it in a `with` block."""

    def __init__(self, out: Output, doing: str, total: int | None, *, noun: str = "tasks") -> None:
        self._out = out
        self._doing = doing
        self._total = total
        self._noun = noun
        self._count = 0
        self._started = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._out.stderr_is_terminal and not self._out.quiet and not self._out.json:
            self._start_bar()
        return self

    def advance(self, count: int = 1, note: str = "") -> None:
        """So many more are done."""
        self._count += count
        if self._bar is not None:
            self._bar.update(self._task, advance=count, note=note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def count(self) -> int:
        return self._count

    def rate(self) -> str:
        """How many there were, how fast: `10,000 tasks in 0.4 s, 25,000 a second`."""
        seconds = max(time.monotonic() - self._started, 1e-6)
        noun = self._noun if self._count != 1 else self._noun.removesuffix("s")
        text = f"{self._count:,} {noun} in {seconds:.1f} s"
        return f"{text}, {self._count / seconds:,.0f} a second" if self._count > 100 else text

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(file=sys.stderr, force_terminal=True, no_color=not self._out.stderr_colors, highlight=False)
        columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        if self._total is not None:
            columns.append(BarColumn())
            columns.append(MofNCompleteColumn())
        elif self._noun:
            columns.append(TextColumn("{task.completed}", markup=False))
        columns += [TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False)]
        self._bar = Bar(*columns, console=console, transient=True)
        self._task = self._bar.add_task(self._doing, total=self._total, note="")
        self._bar.start()
