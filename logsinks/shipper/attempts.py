"""One attempt on its way to one sink."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from logsinks.contract import BatchRule, Trailer
from logsinks.identity import AttemptIdentity
from logsinks.record import Record, Stream
from logsinks.shipper.batching import Gathering


class Shipping:
    """What the spool has given of an attempt so far, and what the sink is known to hold."""

    __slots__ = (
        "_ends_in_newline",
        "_hash",
        "end",
        "gathered",
        "identity",
        "lines",
        "missing",
        "opened",
        "seen",
        "segments",
        "trailer",
        "unit",
    )

    def __init__(self, identity: AttemptIdentity, rule: BatchRule, end: int = 0, lines: int = 0) -> None:
        self.identity = identity
        self.end = end
        """Offset after the last byte that the spool gave, in the log as the sink has it."""
        self.seen = end
        """The same as the spool counts; more than `end` where bytes were lost between."""
        self.lines = lines
        self.gathered = Gathering(rule)
        self.opened = False
        """The sink was asked what it holds, and nothing went wrong since."""
        self.missing = 0
        self.trailer: Trailer | None = None
        """The attempt has ended."""
        self.unit = ""
        """The unit of the spool that it was last seen in."""
        self.segments: set[str] = set()
        """Those that hold bytes which the sink may not have yet."""
        # What came before a restart isn't in the spool any more: then the sum of all is not known.
        self._hash = hashlib.sha256() if end == 0 else None
        self._ends_in_newline = True

    def add(self, record: Record, now: float, segment: str) -> None:
        """The next record from the spool."""
        self.gathered.add(record, now)
        self.segments.add(segment)
        if record.stream is Stream.GAP:
            self.missing += record.missing_bytes
            return
        self.end = record.end
        self.seen += len(record.data)
        self.lines += record.data.count(b"\n")
        self._ends_in_newline = record.data.endswith(b"\n")
        if self._hash is not None:
            self._hash.update(record.data)

    def lost(self, time_ns: int, until: int, now: float, segment: str) -> None:
        """The spool goes on at `until`, and what lay before it is gone."""
        self.add(Record(time_ns, Stream.GAP, b"", self.end, until - self.seen), now, segment)
        self.seen = until

    def go_on_at(self, watermark: int) -> None:
        """The sink holds so much. If that is less than what is gathered begins with, the rest is nowhere any more:
        it is noted as a gap, and what follows moves up.
        """
        gathered = self.gathered
        hole = gathered.records[0].offset - watermark if gathered.records else 0
        if hole <= 0:
            gathered.skip_to(watermark)
            return
        first = gathered.records[0]
        moved = [record._replace(offset=record.offset - hole) for record in gathered.records]
        gathered.records = [Record(first.time_ns, Stream.GAP, b"", watermark, hole), *moved]
        self.end -= hole
        self.missing += hole
        self._hash = None
        if self.trailer is not None:
            self.trailer = replace(self.trailer, bytes=self.end, missing_bytes=self.missing, sha256="")

    def finish(self, ended_ns: int, *, interrupted: bool) -> None:
        """The spool's end frame was read."""
        self.trailer = Trailer(
            bytes=self.end,
            lines=self.lines + (0 if self._ends_in_newline else 1),
            ended_ns=ended_ns,
            sha256=self._hash.hexdigest() if self._hash is not None else "",
            interrupted=interrupted,
            missing_bytes=self.missing,
        )
