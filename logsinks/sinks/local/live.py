"""A log that is being written: the file, its index, and how far both are."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from logsinks.record import Record, Stream
from logsinks.sinks.local import index

_MAX_PIECES = 1024


class LiveLog:
    """A log that is being written."""

    __slots__ = ("fd", "index", "index_fd", "name", "sealed", "size")

    def __init__(self, name: str, fd: int, index_fd: int, size: int, *, sealed: bool) -> None:
        self.name = name
        self.fd = fd
        self.index_fd = index_fd
        self.size = size
        self.sealed = sealed
        self.index = index.IndexWriter()

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.index_fd)

    @classmethod
    def resume(cls, name: str, fd: int, index_fd: int) -> LiveLog:
        """A log as it is found: new, or cut by a crash at any byte of it or of its index. OSError."""
        return _resumed(name, fd, index_fd)

    def append(self, records: Sequence[Record]) -> bool:
        """Write what isn't there yet; whether there was anything. OSError, and then it must be opened anew."""
        fresh = [_from(record, self.size) for record in records if record.end > self.size or _is_new_gap(record, self)]
        if not fresh or self.sealed:
            return False
        # The entries come first: a byte without one would have no time.
        os.write(self.index_fd, self.index.entries(fresh))
        self.size += write_at(self.fd, self.size, [record.data for record in fresh if record.data])
        return True


def _is_new_gap(record: Record, live: LiveLog) -> bool:
    # A gap at the very end may have been noted already; noting it twice is better than not at all.
    return record.stream is Stream.GAP and record.offset >= live.size


def _from(record: Record, start: int) -> Record:
    if record.offset >= start:
        return record
    return record._replace(data=record.data[start - record.offset :], offset=start)


def write_at(fd: int, offset: int, pieces: list[bytes]) -> int:
    """Write pieces one after another at an offset; the number of bytes. OSError."""
    done = 0
    for first in range(0, len(pieces), _MAX_PIECES):
        some = pieces[first : first + _MAX_PIECES]
        expected = sum(map(len, some))
        written = os.pwritev(fd, some, offset + done)
        done += written
        while written < expected:
            # A short write: the next one tells what the system has against it.
            rest = b"".join(some)[written:]
            more = os.pwrite(fd, rest, offset + done)
            written += more
            done += more
    return done


def _resumed(name: str, fd: int, index_fd: int) -> LiveLog:
    """A log as it is found: perhaps cut by a crash, at any byte of it or of its index."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{name}.log is no file")
    size = found.st_size
    if os.pread(index_fd, len(index.HEADER), 0) != index.HEADER:
        os.ftruncate(index_fd, 0)
        os.write(index_fd, index.HEADER)
        if size:
            # Stored whole, or cut while it was: all of it is from the time of its last write.
            os.write(index_fd, index.ENTRY.pack(0, found.st_mtime_ns, index.OUT, 0, 0))
    entries = index.IndexFile(index_fd)
    sealed = entries.count > 0 and entries.sealed() and _end_of(entries) == size
    live = LiveLog(name, fd, index_fd, size, sealed=sealed)
    if sealed:
        return live
    kept = entries.last_before(max(size, 1), by_time=False) + 1 if size else 0
    while (
        kept < entries.count
        and entries.entry(kept).kind in {index.GAP, index.GAP_SIZE}
        and _gap_at(entries, kept) <= size
    ):
        kept += 1
    os.ftruncate(index_fd, len(index.HEADER) + kept * index.ENTRY_SIZE)
    last = entries.entry(kept - 1) if kept else None
    live.index.go_on(last, _count_lines(fd, last, size))
    return live


def _end_of(entries: index.IndexFile) -> int:
    last = entries.entries(max(0, entries.count - 3), entries.count)
    return next(entry.a for entry in last if entry.kind == index.END)


def _gap_at(entries: index.IndexFile, number: int) -> int:
    entry = entries.entry(number)
    return entry.a if entry.kind == index.GAP else entries.entry(number - 1).a


def _count_lines(fd: int, last: index.Entry | None, size: int) -> int:
    if last is None or last.kind not in {index.OUT, index.ERR}:
        start, lines = 0, 0
    else:
        start, lines = last.a, last.lines
    while start < size:
        block = os.pread(fd, 1 << 20, start)
        if not block:
            break
        lines += block.count(b"\n")
        start += len(block)
    return lines
