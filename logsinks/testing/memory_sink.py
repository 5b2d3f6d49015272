"""A sink in memory: small, exact, and open to inspection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from logsinks.contract import Batch, Capabilities, Extent, Health, HealthCheck, Opened, Trailer
from logsinks.errors import LogNotFound, Moved
from logsinks.identity import AttemptIdentity
from logsinks.record import Record, Stream


class MemoryLog:
    """One log as the sink holds it."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.trailer: Trailer | None = None
        self.changed = asyncio.Event()

    @property
    def data(self) -> bytes:
        """All bytes."""
        return b"".join(record.data for record in self.records)

    @property
    def size(self) -> int:
        """The watermark."""
        return self.records[-1].end if self.records else 0


class MemorySink:
    """Keeps every log in `logs`, by locator."""

    def __init__(self, *, keeps_spool: bool = False) -> None:
        self.logs: dict[str, MemoryLog] = {}
        self.calls: list[str] = []
        """The methods that were called, in order."""
        self._keeps_spool = keeps_spool

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(live_read=True, ranged_read=True, exact=True, keeps_spool=self._keeps_spool)

    async def check(self) -> Health:
        return Health(checks=(HealthCheck("memory", ok=True),))

    async def open(self, attempt: AttemptIdentity) -> Opened:
        self.calls.append("open")
        locator = _locator(attempt)
        return Opened(locator, self.logs.setdefault(locator, MemoryLog()).size)

    async def write(self, batch: Batch) -> int:
        self.calls.append("write")
        log = self.logs.setdefault(_locator(batch.attempt), MemoryLog())
        if batch.start > log.size:
            raise Moved("There would be a hole", watermark=log.size)
        for record in batch.records:
            if record.stream is Stream.GAP and record.offset >= log.size:
                log.records.append(record)
            elif record.end > log.size:
                cut = record.data[log.size - record.offset :]
                log.records.append(record._replace(data=cut, offset=log.size))
        log.changed.set()
        return log.size

    async def store(self, batch: Batch, trailer: Trailer) -> str:
        self.calls.append("store")
        await self.write(batch)
        return await self.seal(batch.attempt, trailer)

    async def seal(self, attempt: AttemptIdentity, trailer: Trailer) -> str:
        self.calls.append("seal")
        log = self.logs.setdefault(_locator(attempt), MemoryLog())
        log.trailer = trailer
        log.changed.set()
        return _locator(attempt)

    async def sync(self) -> None:
        self.calls.append("sync")

    async def delete(self, locator: str) -> None:
        self.logs.pop(locator, None)

    def reader(self) -> MemoryReader:
        return MemoryReader(self.logs)

    async def close(self) -> None:
        self.calls.append("close")


class MemoryReader:
    """Reads the logs of a :class:`MemorySink`."""

    def __init__(self, logs: dict[str, MemoryLog]) -> None:
        self._logs = logs

    async def extent(self, locator: str) -> Extent:
        log = self._log(locator)
        return Extent(log.size, log.trailer is not None)

    async def read(self, locator: str, start: int = 0, end: int | None = None) -> AsyncIterator[Record]:
        log = self._log(locator)
        stop = log.size if end is None else min(end, log.size)
        for record in list(log.records):
            if record.stream is Stream.GAP:
                if start <= record.offset < stop or (record.offset == stop and log.trailer is not None):
                    yield record
                continue
            first, last = max(record.offset, start), min(record.end, stop)
            if first < last:
                yield record._replace(data=record.data[first - record.offset : last - record.offset], offset=first)

    async def seek_time(self, locator: str, time: datetime) -> int:
        time_ns = int(time.timestamp() * 1e9)
        before = [record.offset for record in self._log(locator).records if record.time_ns < time_ns]
        return before[-1] if before else 0

    async def seek_tail(self, locator: str, lines: int) -> int:
        data = self._log(locator).data
        found = (
            data.splitlines(keepends=True)
            if b"\r" not in data
            else data.replace(b"\r", b"\0").splitlines(keepends=True)
        )
        return len(data) - sum(map(len, found[max(0, len(found) - lines) :])) if lines else len(data)

    async def changed(self, locator: str, known: Extent, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        log = self._log(locator)
        try:
            async with asyncio.timeout(timeout):
                while await self.extent(locator) == known:
                    log.changed.clear()
                    await log.changed.wait()
        except TimeoutError:
            return

    def _log(self, locator: str) -> MemoryLog:
        try:
            return self._logs[locator]
        except KeyError:
            raise LogNotFound("There is no such log", subject=locator) from None


def _locator(attempt: AttemptIdentity) -> str:
    return f"memory:{attempt.task_id}/{attempt.attempt}"
