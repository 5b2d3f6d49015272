"""One list of everything that is due later: back-offs, start times, deadlines, leases."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

DEADLINE_GRACE_S = 15.0
"""Added to the time of an attempt with a shepherd that keeps no deadlines: for the way there and back."""


class RetryDue(NamedTuple):
    """A scheduled or retrying task becomes pending."""

    task_id: str
    attempt: int


class DeadlineDue(NamedTuple):
    """An attempt has had its time, and its shepherd has not ended it."""

    task_id: str
    attempt: int


class LeaseDue(NamedTuple):
    """Look whether a shepherd's lease has run out; it may have been renewed meanwhile."""

    shepherd_id: str


Due = RetryDue | DeadlineDue | LeaseDue


class Timers:
    """A heap by monotonic time in seconds. What is cancelled stays in and is ignored when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Due]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, due: Due) -> None:
        """Have `due` come up at `when`."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, due))

    def next_when(self) -> float | None:
        """The time of the earliest, or None."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Iterator[Due]:
        """Everything due by `now`, earliest first; it is gone from here."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            yield heapq.heappop(heap)[2]

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
