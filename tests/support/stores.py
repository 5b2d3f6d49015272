"""Fixtures: a clock that stands still, and an empty store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.held_store import HeldStore
from tests.support.manual_clock import ManualClock


@pytest.fixture
async def clock() -> AsyncIterator[ManualClock]:
    """The clock of the test and of its event loop."""
    manual = ManualClock()
    with manual.drives(asyncio.get_running_loop()):
        yield manual


@pytest.fixture
def store() -> Iterator[HeldStore]:
    """Open and empty."""
    held = HeldStore()
    held.open()
    yield held
    held.close()
