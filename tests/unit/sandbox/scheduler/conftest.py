"""An engine for each test."""

from __future__ import annotations

import pytest

from tests.support.core import EngineWorld
from tests.support.held_store import HeldStore
from tests.support.manual_clock import ManualClock
from tests.support.stores import clock, store

__all__ = ["clock", "store"]


@pytest.fixture
async def world(store: HeldStore, clock: ManualClock) -> EngineWorld:
    """A started engine without shepherds."""
    return await EngineWorld(store, clock).start()
