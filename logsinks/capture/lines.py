"""Records → lines. Pure: no clock, no I/O.

A line ends with its newline, which belongs to it, or after 256 KiB; what is longer comes in pieces that are marked
partial, and that give the line byte for byte when put together. The two streams are put together apart, because
a line of one may be interrupted by output of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from logsinks.record import Record, Stream

MAX_LINE = 256 * 1024


class Line(NamedTuple):
    """A line, or a piece of one."""

    time_ns: int
    stream: Stream
    data: bytes
    offset: int
    partial: bool
    record: Record
    """The record in which it began; for a gap, the gap."""


class _Open:
    __slots__ = ("pieces", "record", "size", "start")

    def __init__(self, record: Record, start: int) -> None:
        self.record = record
        self.start = start
        self.pieces: list[bytes] = []
        self.size = 0


class LineAssembler:
    """Takes records in their order, gives lines as they become complete. Holds less than one line a stream."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._open: dict[Stream, _Open] = {}

    @property
    def holds(self) -> bool:
        """Whether a line has begun that isn't complete."""
        return bool(self._open)

    def feed(self, record: Record) -> Iterator[Line]:
        """The lines that end in this record."""
        if record.stream is Stream.GAP:
            yield from self.flush(partial=False)
            yield Line(record.time_ns, Stream.GAP, b"", record.offset, partial=False, record=record)
            return
        data, stream = record.data, record.stream
        position, size = 0, len(data)
        while position < size:
            begun = self._open.get(stream)
            room = self._max_line - (begun.size if begun else 0)
            newline = data.find(b"\n", position, position + room)
            end = newline + 1 if newline >= 0 else min(size, position + room)
            complete = newline >= 0
            if begun is None and complete:
                yield Line(record.time_ns, stream, data[position:end], record.offset + position, False, record)
            else:
                if begun is None:
                    begun = self._open[stream] = _Open(record, record.offset + position)
                begun.pieces.append(data[position:end])
                begun.size += end - position
                if complete or begun.size >= self._max_line:
                    yield self._taken(stream, partial=not complete)
            position = end

    def flush(self, *, partial: bool) -> Iterator[Line]:
        """What has begun, as it is; `partial` says whether it may go on."""
        for stream in sorted(self._open, key=lambda stream: self._open[stream].start):
            yield self._taken(stream, partial=partial)

    def _taken(self, stream: Stream, *, partial: bool) -> Line:
        begun = self._open.pop(stream)
        return Line(begun.record.time_ns, stream, b"".join(begun.pieces), begun.start, partial, begun.record)
