"""The core with a clock and a store that a test moves and holds."""

from __future__ import annotations

import pytest

from tests.support.core import CoreWorld
from tests.support.held_store import HeldStore
from tests.support.manual_clock import ManualClock
from tests.support.stores import clock, store

__all__ = ["clock", "store"]


@pytest.fixture
async def core(store: HeldStore, clock: ManualClock) -> CoreWorld:
    """Started, without shepherds."""
    return await CoreWorld(store, clock).start()
