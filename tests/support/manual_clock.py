"""A clock that stands still until a test moves it, and an event loop that goes by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


class ManualClock:
    """Implements `sandbox.model.clock.Clock`."""

    def __init__(self, now_ms: int = 1_800_000_000_000, monotonic: float = 1000.0) -> None:
        self._now_ms = now_ms
        self._monotonic = monotonic

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
        self._monotonic += seconds

    @contextmanager
    def drives(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Timers of the loop, time-outs included, come up when this clock is moved, not before."""
        patched = cast("Any", loop)
        before = patched.time
        patched.time = self.monotonic
        try:
            yield
        finally:
            patched.time = before


async def settle(turns: int = 25) -> None:
    """Let everything run that can run without the time going on."""
    for _ in range(turns):
        await asyncio.sleep(0)
