"""What is asked of a log, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from logsinks.record import Stream


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where one attempt's log lies."""

    sink_url: str
    locator: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which part of a log. All conditions must hold; the default is everything there is."""

    follow: bool = False
    """Go on with what comes, until the task has ended."""
    tail: int | None = None
    """Only the last so many lines, of those that pass the other conditions."""
    since: datetime | None = None
    """Aware; lines written at that time or later."""
    until: datetime | None = None
    """Aware; lines written before that time."""
    stream: Stream | None = None
    grep: str | None = None
    """A regular expression that the line must contain."""
    attempt: int | None = None
    """Only this attempt; None: all, one after another."""
    from_offset: int = 0
    """Bytes of each attempt to leave out at its start, to go on where an earlier reading ended."""
    whole_lines: bool = True
    """False: pieces as they were captured, so that all of them together are the log, byte for byte."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line with its newline, or a piece of one."""

    attempt: int
    stream: Stream
    """GAP: `data` is a sentence of ours that says what is missing here."""
    time: datetime
    """Aware, UTC: when the first byte was captured."""
    data: bytes
    offset: int
    """Of the first byte, in the attempt's log."""
    partial: bool = False
    """The line goes on: it is too long for one piece, or what follows hasn't been written yet."""


class LogProgress(Protocol):
    """What a follower must know of a task, told by whoever knows it."""

    async def sources(self) -> Sequence[LogSource]:
        """The attempts' logs that are known now, in any order."""
        ...

    async def ended(self) -> bool:
        """Whether the task has ended, so that no attempt will follow."""
        ...

    async def changed(self) -> None:
        """Return when `sources` or `ended` may have changed since they were asked; cancelled at will."""
        ...
