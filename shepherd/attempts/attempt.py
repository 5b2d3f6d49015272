"""An attempt as the shepherd holds it, from its assignment to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from shepherd.tiers.contract import IsolationTier, Order
from shepherd.wire.payload import Assignment, End


class AttemptPhase(Enum):
    """Where an attempt stands. `waiting → running → ended`; everything may go to `ended` at once."""

    WAITING = auto()
    """Held here; none of its steps has been taken. May be handed back."""
    RUNNING = auto()
    """Given to its tier, or on the way there."""
    ENDED = auto()
    """Its outcome is known and handed to the link."""


@dataclass(slots=True, kw_only=True, eq=False)
class Attempt(Order):
    """One attempt that the orchestrator gave us. Only the supervisor and the steps change it."""

    tier: IsolationTier
    phase: AttemptPhase = AttemptPhase.WAITING
    unwanted: bool = False
    """The orchestrator doesn't want to hear of it any more."""
    successor: Assignment | None = None
    """A later attempt of the same task, which may begin when this one has ended."""
    started_ms: int = 0
    # What the steps of an attempt with a process of its own have made so far:
    captured: bool = False
    """The catcher has pipes for it."""
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    output: tuple[int, int] | None = None
    """Descriptors for its standard output and error."""


class Reporter(Protocol):
    """Who tells the orchestrator."""

    def attempt_started(self, task_id: str, attempt: int, started_ms: int) -> None:
        """It runs, and not only for a moment."""
        ...

    def attempt_ended(self, task_id: str, attempt: int, end: End) -> None:
        """It is over; its log is on disk."""
        ...

    def attempt_heartbeat(self, task_id: str, attempt: int, time_ms: int, note: str) -> None:
        """It says how far it is."""
        ...
