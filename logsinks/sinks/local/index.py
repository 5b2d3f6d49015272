"""The index beside a stored log: which bytes are from when, and from which stream.

::

    NAME.log   the bytes of standard output and standard error, as they were captured, and nothing else
    NAME.idx   header "AZLINDEX" | version u16 | 6 bytes     16 bytes
               entry  a u64 | b u64 | kind u8 | flags u8 | 2 bytes | lines u32     24 bytes, little endian, repeated

    kind 1 out, 2 err   from offset a on, captured at time b (ns); `lines` newlines lie before it (modulo 2**32)
    kind 4 gap          at offset a, time b, bytes are missing; the next entry is of
    kind 5 gap size     a bytes and b lines are missing (0: not known)
    kind 3 end          the log is sealed: a bytes in all, at time b, `lines` lines; flags 1: interrupted
    kind 6 sum          after the end, twice: a and b hold a half of the SHA-256 of all bytes

An entry is written before its bytes, so that every byte in the log has one; entries at or behind the log's end are
dropped when it is opened again. Entries begin where the stream changes, after a millisecond, and every 64 KiB.
A log without an index was stored whole: all of it is standard output, captured at the file's modification time.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from logsinks.contract import Trailer
from logsinks.record import Record, Stream

MAGIC = b"AZLINDEX"
HEADER = MAGIC + struct.pack("<H6x", 1)
ENTRY = struct.Struct("<QQBB2xI")
ENTRY_SIZE = ENTRY.size

OUT = 1
ERR = 2
END = 3
GAP = 4
GAP_SIZE = 5
SUM = 6
INTERRUPTED = 1

STEP_NS = 1_000_000
STEP_BYTES = 64 * 1024
WHOLE_NS = 10_000_000
"""A log that was captured within so much time needs no index."""


class Entry(NamedTuple):
    """One entry, as above."""

    a: int
    b: int
    kind: int
    flags: int
    lines: int


class IndexWriter:
    """Which entries records need. Keeps the state between batches; does no I/O."""

    __slots__ = ("_at", "_stream", "_time", "lines")

    def __init__(self) -> None:
        self._stream = 0
        self._time = 0
        self._at = 0
        self.lines = 0
        """Newlines so far."""

    def entries(self, records: Iterable[Record]) -> bytes:
        """The entries for records that follow those before."""
        packed: list[bytes] = []
        for record in records:
            stream = int(record.stream)
            if record.stream is Stream.GAP:
                packed.append(ENTRY.pack(record.offset, record.time_ns, GAP, 0, self.lines & 0xFFFFFFFF))
                packed.append(ENTRY.pack(record.missing_bytes, record.missing_lines, GAP_SIZE, 0, 0))
                self._stream = 0
                continue
            if (
                stream != self._stream
                or not 0 <= record.time_ns - self._time < STEP_NS
                or record.offset - self._at >= STEP_BYTES
            ):
                packed.append(ENTRY.pack(record.offset, record.time_ns, stream, 0, self.lines & 0xFFFFFFFF))
                self._stream, self._time, self._at = stream, record.time_ns, record.offset
            self.lines += record.data.count(b"\n")
        return b"".join(packed)

    def go_on(self, last: Entry | None, lines: int) -> None:
        """Continue behind what a stored index holds."""
        self.lines = lines
        if last is not None and last.kind in {OUT, ERR}:
            self._at, self._time, self._stream = last.a, last.b, last.kind


def end_entries(trailer: Trailer) -> bytes:
    """What seals an index."""
    flags = INTERRUPTED if trailer.interrupted else 0
    end = ENTRY.pack(trailer.bytes, trailer.ended_ns, END, flags, trailer.lines & 0xFFFFFFFF)
    if not trailer.sha256:
        return end
    a, b, c, d = struct.unpack("<QQQQ", bytes.fromhex(trailer.sha256))
    return end + ENTRY.pack(a, b, SUM, 0, 0) + ENTRY.pack(c, d, SUM, 0, 0)


class IndexFile:
    """An index that is read by number of entry, never whole."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        size = os.fstat(fd).st_size
        self.count = max(0, size - len(HEADER)) // ENTRY_SIZE

    def entry(self, number: int) -> Entry:
        """One entry."""
        return next(self.entries(number, number + 1))

    def entries(self, first: int, end: int) -> Iterator[Entry]:
        """Entries from a number up to another."""
        data = os.pread(self._fd, (min(end, self.count) - first) * ENTRY_SIZE, len(HEADER) + first * ENTRY_SIZE)
        usable = len(data) - len(data) % ENTRY_SIZE
        return (Entry._make(fields) for fields in ENTRY.iter_unpack(data[:usable]))

    def sealed(self) -> bool:
        """Whether the log is complete."""
        return any(entry.kind == END for entry in self.entries(max(0, self.count - 3), self.count))

    def last_before(self, value: int, *, by_time: bool) -> int:
        """The number of the last entry of output that starts before an offset (or time), or -1."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            place = middle
            while place >= low and self.entry(place).kind not in {OUT, ERR}:
                place -= 1
            if place < low:
                low = middle + 1
                continue
            entry = self.entry(place)
            if (entry.b if by_time else entry.a) < value:
                low = middle + 1
            else:
                high = place
        while low > 0:
            low -= 1
            if self.entry(low).kind in {OUT, ERR}:
                return low
        return -1
