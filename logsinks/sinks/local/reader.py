"""Reads logs of the local sink: by ranges, with times and streams from the index, while they grow too."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from logsinks.contract import Extent
from logsinks.errors import LogNotFound, LogPurged
from logsinks.record import Record, Stream
from logsinks.sinks.local import index
from logsinks.sinks.local.watch import FileWatch

_PIECE = 256 * 1024
_ROUND = 1 << 20
_ENTRIES = 4096


class LocalReader:
    """A :class:`logsinks.contract.LogReader`. A locator is the path of the `.log` file, below the root."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100 - a path is compared, links are not followed

    def name(self, locator: str) -> str:
        """The log's name below the root; LogNotFound for a locator that leads anywhere else."""
        path = Path(os.path.abspath(locator))  # noqa: PTH100 - as above
        if not path.is_relative_to(self._root) or path.suffix != ".log":
            raise LogNotFound("That is no log of this sink", subject=locator, why=f"logs lie below {self._root}")
        return str(path.relative_to(self._root)).removesuffix(".log")

    async def extent(self, locator: str) -> Extent:
        return await asyncio.to_thread(self._extent, locator)

    async def read(self, locator: str, start: int = 0, end: int | None = None) -> AsyncIterator[Record]:
        log = await asyncio.to_thread(_OpenLog, self._root, self.name(locator))
        try:
            stop = log.size() if end is None else min(end, log.size())
            position, number = start, -1
            while True:
                records, position, number = await asyncio.to_thread(log.records, position, stop, number)
                if not records:
                    return
                for record in records:
                    yield record
        finally:
            log.close()

    async def seek_time(self, locator: str, time: datetime) -> int:
        def seek() -> int:
            log = _OpenLog(self._root, self.name(locator))
            try:
                return log.seek_time(int(time.timestamp() * 1_000_000_000))
            finally:
                log.close()

        return await asyncio.to_thread(seek)

    async def seek_tail(self, locator: str, lines: int) -> int:
        def seek() -> int:
            log = _OpenLog(self._root, self.name(locator))
            try:
                return log.seek_tail(lines)
            finally:
                log.close()

        return await asyncio.to_thread(seek)

    async def changed(self, locator: str, known: Extent, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        name = self.name(locator)
        until = time.monotonic() + timeout
        with FileWatch([f"{self._root}/{name}.log", f"{self._root}/{name}.idx"]) as watch:
            # The watch is there before we look, so that nothing falls between.
            while self._extent(locator) == known:
                left = until - time.monotonic()
                if left <= 0:
                    return
                await watch.wait(left)

    def _extent(self, locator: str) -> Extent:
        log = _OpenLog(self._root, self.name(locator))
        try:
            return Extent(log.size(), log.sealed())
        finally:
            log.close()


class _OpenLog:
    """The two files of one log."""

    def __init__(self, root: Path, name: str) -> None:
        self._index_fd = -1
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(root / f"{name}.log", flags)
        except FileNotFoundError as error:
            raise LogPurged(
                "The log is not there any more",
                subject=f"{root}/{name}.log",
                why="retention has removed it, or somebody did",
            ) from error
        except OSError as error:
            raise LogNotFound(
                "The log can't be read", subject=f"{root}/{name}.log", why=error.strerror or ""
            ) from error
        try:
            self._index_fd = os.open(root / f"{name}.idx", flags)
        except FileNotFoundError:
            self._index = None  # stored whole
        else:
            self._index = index.IndexFile(self._index_fd)

    def close(self) -> None:
        os.close(self._fd)
        if self._index_fd >= 0:
            os.close(self._index_fd)

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def sealed(self) -> bool:
        if self._index is None:
            return self.size() > 0
        return self._index.sealed()

    def records(self, start: int, stop: int, number: int) -> tuple[list[Record], int, int]:
        """About a megabyte from an offset on, the offset after it, and the number of the entry to go on with (-1: find it).

        A gap belongs to what follows it; at the very end, to the end of a sealed log.
        """
        if self._index is None:
            data = os.pread(self._fd, max(0, min(stop - start, _PIECE)), start)
            time_ns = os.fstat(self._fd).st_mtime_ns
            return ([Record(time_ns, Stream.OUT, data, start)] if data else []), start + len(data), 0
        found = index.IndexFile(self._index_fd)  # it may have grown
        if number < 0:
            number = max(0, found.last_before(start + 1, by_time=False))
            while number > 0 and found.entry(number - 1).kind in {index.GAP, index.GAP_SIZE}:
                number -= 1
        last = stop if found.sealed() and stop == self.size() else stop - 1
        return self._indexed(found, start, stop, last, number)

    def _indexed(
        self, found: index.IndexFile, start: int, stop: int, last_gap: int, number: int
    ) -> tuple[list[Record], int, int]:
        entries = list(found.entries(number, number + _ENTRIES))
        more = number + len(entries) < found.count
        records: list[Record] = []
        position, room = start, _ROUND
        for place, entry in enumerate(entries):
            rest = entries[place + 1 : place + 4]
            if entry.kind == index.GAP:
                if not rest:
                    return records, position, number + place
                if position <= entry.a <= last_gap:
                    records.append(Record(entry.b, Stream.GAP, b"", entry.a, rest[0].a, rest[0].b))
            if entry.kind not in {index.OUT, index.ERR}:
                continue
            following = next((later.a for later in rest if later.kind <= index.GAP), None)
            if following is None and more:
                return records, position, number + place
            until = stop if following is None else min(following, stop)
            while position < until:
                if room <= 0:
                    return records, position, number + place
                data = os.pread(self._fd, min(until - position, _PIECE), position)
                if not data:
                    return records, position, number + place
                records.append(Record(entry.b, Stream(entry.kind), data, position))
                position += len(data)
                room -= len(data)
        return records, position, number + len(entries)

    def seek_time(self, time_ns: int) -> int:
        if self._index is None:
            return 0
        # An entry stands for what was captured within a millisecond after it.
        number = self._index.last_before(time_ns - index.STEP_NS + 1, by_time=True)
        return self._index.entry(number).a if number >= 0 else 0

    def seek_tail(self, lines: int) -> int:
        size = self.size()
        if lines <= 0:
            return size
        position, wanted = size, lines
        if size and os.pread(self._fd, 1, size - 1) == b"\n":
            wanted += 1
        while position > 0:
            first = max(0, position - _PIECE)
            block = os.pread(self._fd, position - first, first)
            found = block.count(b"\n")
            if found >= wanted:
                place = len(block)
                for _ in range(wanted):
                    place = block.rindex(b"\n", 0, place)
                return first + place + 1
            wanted -= found
            position = first
        return 0
