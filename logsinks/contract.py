"""What a sink promises, and what it may rely on.

A sink is one destination for the logs of attempts. The shipper gives it the bytes of each attempt in order and
without holes, from one event loop, at most one call at a time for one attempt. The rules:

* **The destination is the truth.** `open` asks it what it holds; no note of ours is believed over it.
* **A repeat is harmless.** `open`, `write`, `store`, `seal` and `delete` may be called again after a crash or a
  lost answer, with the same start and the same or more bytes, and the result is as if they had been called once.
* **What a call has accepted survives our own death;** after `sync` it survives the machine's.
* **Errors are four.** :class:`~logsinks.errors.Busy`: try again later. :class:`~logsinks.errors.Denied`: pause,
  tell a person. :class:`~logsinks.errors.Refused`: these records never, go on behind them.
  :class:`~logsinks.errors.Moved`: go on elsewhere. After Busy or Denied, and after any other exception, the
  shipper asks `open` again before it goes on.

`logsinks.testing.conformance` checks all of it; every sink passes it, those of other packages too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from logsinks.identity import AttemptIdentity
from logsinks.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRule:
    """When the shipper hands over what it has read of an attempt: at whichever comes first, and at the end."""

    max_bytes: int = 1 << 20
    max_records: int = 10_000
    max_age_s: float = 0.0
    """0: at once. Else a sink that pays by the call may ask to wait so long for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a sink can do, asked before anyone tries."""

    live_read: bool = False
    """The log can be read while the attempt runs."""
    ranged_read: bool = False
    """A part can be read without the whole."""
    search: bool = False
    exact: bool = False
    """Every byte once, whatever dies when; otherwise at least once."""
    best_effort: bool = False
    """May drop, and counts what it dropped."""
    parallel: int = 1
    """How many attempts may be delivered at the same time."""
    keeps_spool: bool = False
    """Needs an attempt's whole spool until it is sealed, for a final form that is made from it."""
    batch: BatchRule = field(default_factory=BatchRule)


class HealthCheck(NamedTuple):
    """One thing that was tried at the destination."""

    name: str
    ok: bool
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a sink can do its work now, and what is missing."""

    checks: tuple[HealthCheck, ...]

    @property
    def ok(self) -> bool:
        """Nothing is missing."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Opened:
    """Where an attempt's log lies, and how many bytes of it the destination holds."""

    locator: str
    watermark: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one attempt that follow one another without a hole; never empty."""

    attempt: AttemptIdentity
    records: Sequence[Record]

    @property
    def start(self) -> int:
        """Offset of the first byte."""
        return self.records[0].offset

    @property
    def end(self) -> int:
        """Offset after the last byte."""
        return self.records[-1].end


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """What is known of a log when it is complete."""

    bytes: int
    lines: int
    """Newlines, plus one if the last line has none."""
    ended_ns: int
    sha256: str = ""
    """Of all bytes, hexadecimal; empty where it is not known any more (after a restart in the middle)."""
    interrupted: bool = False
    """The output ended with its catcher or channel, not by itself: there may have been more."""
    missing_bytes: int = 0


@runtime_checkable
class Sink(Protocol):
    """One destination for the logs of attempts; see the rules above."""

    @property
    def capabilities(self) -> Capabilities:
        """Constant for the life of the sink."""
        ...

    async def check(self) -> Health:
        """Try what the sink needs (reach, write, read, delete) and say what doesn't work. Never raises for that."""
        ...

    async def open(self, attempt: AttemptIdentity) -> Opened:
        """Where the attempt's log is, and what the destination holds of it: 0 for a new attempt."""
        ...

    async def write(self, batch: Batch) -> int:
        """Store records that start at the watermark; the new watermark, which is more than the start."""
        ...

    async def store(self, batch: Batch, trailer: Trailer) -> str:
        """A whole log at once: `open`, `write` and `seal` in the cheapest way. Its locator."""
        ...

    async def seal(self, attempt: AttemptIdentity, trailer: Trailer) -> str:
        """The attempt has ended, and all of its bytes were written. The locator; reading needs nothing else."""
        ...

    async def sync(self) -> None:
        """When this returns, everything accepted so far survives a power cut. The spool is dropped only then."""
        ...

    async def delete(self, locator: str) -> None:
        """Remove a log; harmless if it isn't there."""
        ...

    def reader(self) -> LogReader | None:
        """How to read what is stored here; None where that can't be done."""
        ...

    async def close(self) -> None:
        """Give back what is held open. Live logs stay as they are."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a log is there now."""

    bytes: int
    sealed: bool
    """Nothing will follow."""


class LogReader(Protocol):
    """Reads logs of one sink by their locators, in ranges, never whole. Raises LogNotFound or LogPurged."""

    async def extent(self, locator: str) -> Extent:
        """How much is there now; asked again and again while following."""
        ...

    def read(self, locator: str, start: int = 0, end: int | None = None) -> AsyncIterator[Record]:
        """The records from offset `start` up to `end` (or what is there now); the first and last may be parts."""
        ...

    async def seek_time(self, locator: str, time: datetime) -> int:
        """An offset at or before the first byte that was written at `time` or later."""
        ...

    async def seek_tail(self, locator: str, lines: int) -> int:
        """The offset at which the last `lines` lines start."""
        ...

    async def changed(self, locator: str, known: Extent, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        """Return when the log is longer than `known`, or sealed, or after `timeout` seconds."""
        ...


class NamedSink(NamedTuple):
    """A sink as the configuration calls it; the name stands in positions and reports."""

    name: str
    sink: Sink
