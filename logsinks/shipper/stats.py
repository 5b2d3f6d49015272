"""What is known of the shipping, for status pages and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SinkState(Enum):
    """How a sink is doing."""

    WORKING = "working"
    BACKING_OFF = "backing off"
    """It was busy or failed; tried again soon."""
    DENIED = "denied"
    """It refuses us; a person has to act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkStats:
    """One sink, since the shipper started."""

    state: SinkState
    shipped_bytes: int
    sealed_logs: int
    open_logs: int
    lag_bytes: int
    """In the spool and not yet with this sink, frames included."""
    refused_records: int
    missing_bytes: int
    """That the spool itself had lost (noted as gaps)."""
    errors: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperStats:
    """All sinks by name, and the spool."""

    sinks: dict[str, SinkStats]
    spool_segments: int
    damaged_segments: int
