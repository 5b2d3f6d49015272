"""Waiting that survives a restart of the orchestrator, and reading on where a log broke off. No I/O."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from sandbox.client.records import LogEntry
from sandbox.errors import OrchestratorUnreachable

LONGEST_POLL_S = 60.0
"""A wait is asked for in pieces of this length, so that a dead connection is noticed."""

PATIENCE_S = 30.0
"""How long an orchestrator that has answered before may be away while somebody waits."""


class Deadline:
    """What is left of a time to wait."""

    def __init__(self, timeout_s: float | None, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = None if timeout_s is None else monotonic() + timeout_s

    def left(self) -> float | None:
        """Seconds, never below 0; None: no end."""
        return None if self._end is None else max(0.0, self._end - self._monotonic())

    def next_poll(self) -> float:
        """How long the next request may wait."""
        left = self.left()
        return LONGEST_POLL_S if left is None else min(left, LONGEST_POLL_S)

    @property
    def over(self) -> bool:
        return self.left() == 0.0


class Patience:
    """How long to pause before another try after the connection was lost, and when to give up."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lost_since: float | None = None
        self._tries = 0
        self._answered = False

    def answered(self) -> None:
        """The orchestrator has answered: all is well again."""
        self._answered = True
        self._lost_since = None
        self._tries = 0

    def pause(self, error: OrchestratorUnreachable) -> float:
        """Seconds to pause. Raises the error when it is time to give up, or if nothing ever answered."""
        now = self._monotonic()
        if self._lost_since is None:
            self._lost_since = now
        if not self._answered or now - self._lost_since > PATIENCE_S:
            raise error
        self._tries += 1
        return min(0.1 * 2**self._tries, 2.0) * random.uniform(0.5, 1.0)


class LogPosition:
    """How far a log was read, so that reading it again gives what follows and nothing twice."""

    def __init__(self) -> None:
        self._attempt = 0
        self._end = 0

    def new_part(self, entry: LogEntry) -> LogEntry | None:
        """The part of the entry that was not seen before; None if all of it was."""
        if entry.attempt < self._attempt:
            return None
        if entry.attempt > self._attempt:
            self._attempt, self._end = entry.attempt, 0
        if entry.stream == "gap":
            return entry if entry.offset >= self._end else None
        end = entry.offset + len(entry.data)
        if end <= self._end:
            return None
        if entry.offset < self._end:
            seen = self._end - entry.offset
            entry = dataclasses.replace(entry, offset=self._end, data=entry.data[seen:])
        self._end = end
        return entry
