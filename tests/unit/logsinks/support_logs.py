"""What several tests of the log library need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from logsinks.capture.client import Capture
from logsinks.contract import NamedSink, Sink
from logsinks.shipper import Shipper


class Opened(dict[tuple[str, int], str]):
    """Where logs lie, as the shipper tells it; can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def told(self, identity: Any, _sink: str, locator: str) -> None:
        self[identity.key] = locator
        self.news.set()

    async def locator(self, key: tuple[str, int]) -> str:
        while key not in self:
            self.news.clear()
            await self.news.wait()
        return self[key]


@asynccontextmanager
async def capturing(spool: Path, **options: Any) -> AsyncIterator[Capture]:
    """A client with a catcher of its own."""
    options.setdefault("on_growth", lambda: None)
    capture = await Capture.start(spool, **options)
    try:
        yield capture
    finally:
        await capture.shutdown()


@asynccontextmanager
async def shipping(
    spool: Path, sink: Sink, told: Callable[..., None] = lambda *_: None, drain: float = 10
) -> AsyncIterator[Shipper]:
    """A shipper to one sink; drained at the end."""
    spool.mkdir(parents=True, exist_ok=True)
    shipper = Shipper(spool, [NamedSink("sink", sink)], on_opened=told)
    await shipper.start()
    try:
        yield shipper
    finally:
        await shipper.stop(drain)
