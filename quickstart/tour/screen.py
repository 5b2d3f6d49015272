"""What the person sees: a progress bar and live log lines on a terminal, a line a phase elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

TAIL_LINES = 7
_NAME_WIDTH = 26


class Watch(Protocol):
    """What is told while the tasks run."""

    def ended(self, count: int) -> None:
        """So many tasks have ended in all."""
        ...

    def line(self, module: str, text: str) -> None:
        """A task has written a line."""
        ...


class Screen:
    """Where the tour is told. `console` decides what it can show."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def title(self, text: str) -> None:
        self.console.print()
        self.console.print(Text(text, style="bold"))
        self.console.print()

    def done(self, phase: str, text: str) -> None:
        """A phase is over, with what came of it."""
        self._phase("✓", "green", phase, text)

    def went_wrong(self, phase: str, text: str) -> None:
        """A phase is over, and not as it should be."""
        self._phase("✗", "red", phase, text)

    @contextmanager
    def watching(self, total: int) -> Iterator[Watch]:
        """While the tasks run."""
        if not self.console.is_terminal:
            yield _PlainWatch(self.console, total)
            return
        watch = _LiveWatch(self.console, total)
        with Live(watch, console=self.console, refresh_per_second=20, transient=True):
            yield watch

    def _phase(self, mark: str, colour: str, phase: str, text: str) -> None:
        line = Text.assemble(("  " + mark, colour), f" {phase:<12} ", text)
        self.console.print(line, soft_wrap=True)


class _PlainWatch:
    """A line at each quarter, so that a log file stays short."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total = console, total
        self._next = 1

    def ended(self, count: int) -> None:
        while self._next < 4 and count * 4 >= self._total * self._next:
            self._console.print(f"    {count} of {self._total} tasks have ended", highlight=False)
            self._next += 1

    def line(self, module: str, text: str) -> None:
        """Not shown: they are in the logs."""


class _LiveWatch:
    """A bar, the rate, and the newest lines of a few logs."""

    def __init__(self, console: Console, total: int) -> None:
        self._progress = Progress(
            TextColumn("  [green]…[/green] census      "),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}"),
            console=console,
        )
        self._bar: TaskID = self._progress.add_task("census", total=total, rate="")
        self._began = time.monotonic()
        self._lines: deque[Text] = deque(maxlen=TAIL_LINES)

    def ended(self, count: int) -> None:
        elapsed = time.monotonic() - self._began
        rate = f"{count / elapsed:.0f} tasks/s" if elapsed > 0.5 else ""
        self._progress.update(self._bar, completed=count, rate=rate)

    def line(self, module: str, text: str) -> None:
        shown = "".join(character for character in text if character.isprintable())
        self._lines.append(
            Text.assemble(
                (f"    {module[-_NAME_WIDTH:]:>{_NAME_WIDTH}} ", "cyan"),
                ("│ ", "dim"),
                shown,
                no_wrap=True,
                overflow="ellipsis",
            )
        )

    def __rich__(self) -> Group:
        filler = [Text("")] * (TAIL_LINES - len(self._lines))  # the height stays, so nothing jumps
        return Group(self._progress, Text(""), *self._lines, *filler)
