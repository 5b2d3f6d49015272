"""A sink that fails on demand: before a call goes through, or after it has, so that the answer is lost."""

from __future__ import annotations

from collections.abc import Callable

from logsinks.contract import Batch, Capabilities, Health, LogReader, Opened, Sink, Trailer
from logsinks.identity import AttemptIdentity


class FaultySink:
    """Wraps a sink. `fault(method)` is asked before and after every call, and may return an error to raise.

    It is given "open", "write", "store", "seal" or "sync", and then the same with "-after". `short` makes `write`
    take only the first record of a batch.
    """

    def __init__(self, inner: Sink, fault: Callable[[str], Exception | None], *, short: bool = False) -> None:
        self.inner = inner
        self._fault = fault
        self._short = short

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def check(self) -> Health:
        return await self.inner.check()

    async def open(self, attempt: AttemptIdentity) -> Opened:
        self._maybe("open")
        opened = await self.inner.open(attempt)
        self._maybe("open-after")
        return opened

    async def write(self, batch: Batch) -> int:
        self._maybe("write")
        if self._short:
            batch = Batch(batch.attempt, batch.records[:1])
        end = await self.inner.write(batch)
        self._maybe("write-after")
        return end

    async def store(self, batch: Batch, trailer: Trailer) -> str:
        self._maybe("store")
        locator = await self.inner.store(batch, trailer)
        self._maybe("store-after")
        return locator

    async def seal(self, attempt: AttemptIdentity, trailer: Trailer) -> str:
        self._maybe("seal")
        locator = await self.inner.seal(attempt, trailer)
        self._maybe("seal-after")
        return locator

    async def sync(self) -> None:
        self._maybe("sync")
        await self.inner.sync()
        self._maybe("sync-after")

    async def delete(self, locator: str) -> None:
        await self.inner.delete(locator)

    def reader(self) -> LogReader | None:
        return self.inner.reader()

    async def close(self) -> None:
        await self.inner.close()

    def _maybe(self, moment: str) -> None:
        error = self._fault(moment)
        if error is not None:
            raise error
