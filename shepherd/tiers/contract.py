"""What an isolation tier promises, and what it is told and tells.

An :class:`Order` is one attempt to be run. A tier takes it with `start`, returns at once, and then tells its
:class:`Listener`, on the event loop's thread:

- `started` at most once; not for an attempt that ended at once;
- `ended` exactly once, after `started` and never from within `start`: with the outcome as a value. By then no
  process of the attempt runs any more, or `left_behind` of the end says what could not be ended.

The time limit of an order counts from its start and ends it as TIMED_OUT. `stop` ends it with the outcome that is
given: the kill signal first, after `grace_s` SIGKILL, for all its processes. Stopping what has ended, or is being
stopped, changes nothing. Every implementation passes `tests/contracts/test_tiers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shepherd.definitions import TaskDefinition
from shepherd.wire.payload import Assignment, End, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Whether this host can give a tier; if not, what is missing and how to get on."""

    able: bool
    missing: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fresh process finds itself. The descriptors are the tier's to close, once the process has them."""

    folder: Path
    """Of the attempt alone; holds the others."""
    control: Path
    """Assignment in, outcome out; stays until the outcome is acknowledged."""
    work: Path
    """HOME of the attempt; removed at its end."""
    environment: Mapping[str, str]
    stdout_fd: int
    stderr_fd: int


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One attempt to be run. Compared by identity; `stop` and `place` are the only parts that change."""

    key: str
    """`TASK_ID:ATTEMPT`."""
    assignment: Assignment
    definition: TaskDefinition
    time_limit_s: float | None = None
    grace_s: float = 10.0
    stop: Outcome | None = None
    """Why it is being ended, once it is."""
    stop_reason: str = ""
    place: Place | None = None
    """Only where the tier makes a fresh process."""


class Listener(Protocol):
    """Who hears what becomes of orders."""

    def started(self, order: Order, started_ms: int) -> None:
        """It runs."""
        ...

    def ended(self, order: Order, end: End) -> None:
        """It is over, and what it used is known."""
        ...

    def heartbeat(self, order: Order, note: str) -> None:
        """The task says how far it is."""
        ...


class IsolationTier(Protocol):
    """A kind of enclosure for attempts."""

    name: str
    fresh: bool
    """Each attempt gets a process of its own, and needs a :class:`Place`."""

    def listen(self, listener: Listener) -> None:
        """Who hears, from now on; once, before the first order."""
        ...

    def able(self) -> Ability:
        """What this host can give; asked before the first order, not found out by failure."""
        ...

    def start(self, order: Order) -> None:
        """Take an order. Nothing is raised for what is wrong with the task: that is an end."""
        ...

    def stop(self, order: Order, outcome: Outcome, reason: str = "") -> None:
        """End it with that outcome."""
        ...

    def withdraw(self) -> list[Order]:
        """Give back every order that has not started; the listener hears nothing more of these."""
        ...

    def keep(self, definitions: Iterable[TaskDefinition]) -> list[Order]:
        """Only these definitions are current now: give back orders of others that have not started."""
        ...

    def hurry(self) -> None:
        """No more grace for what is being stopped: SIGKILL now."""
        ...

    async def close(self) -> None:
        """End what runs here (as LOST) and every process of the tier's own; returns when they are gone."""
        ...
