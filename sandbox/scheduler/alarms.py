"""Wakes the event loop when the earliest of all timers is due, and keeps one look at the lease of each shepherd."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from sandbox.model.clock import Clock
from sandbox.scheduler.timers import Due, LeaseDue, Timers


class Alarms:
    """The timers, with the one handle of the loop that waits for them. `ring` is called with what is due."""

    def __init__(self, clock: Clock, ring: Callable[[Due], None]) -> None:
        self.timers = Timers()
        """What is added here directly, as at a recovery, counts from the next `arm`."""
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._timer_when = 0.0
        self._watched: set[str] = set()
        """Shepherds with a `LeaseDue` among the timers; never two for one."""
        self._stopped = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ring in that loop. Before the first timer is armed."""
        self._loop = loop

    def stop(self) -> None:
        """Ring no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def add(self, delay_s: float, due: Due) -> None:
        """Ring for `due` in so many seconds."""
        self.timers.add(self._clock.monotonic() + delay_s, due)
        self.arm()

    def watch_lease(self, shepherd_id: str, left_s: float) -> None:
        """Ring when the lease of that shepherd would run out, in `left_s` seconds; once, however often it is asked."""
        if shepherd_id not in self._watched:
            self._watched.add(shepherd_id)
            self.add(max(0.0, left_s), LeaseDue(shepherd_id))

    def watches(self, shepherd_ids: Iterable[str]) -> None:
        """These shepherds, and no others, have a `LeaseDue` among the timers."""
        self._watched = set(shepherd_ids)

    def arm(self) -> None:
        """Have the loop wait for the earliest timer, if it doesn't yet."""
        when = self.timers.next_when()
        if when is None or self._stopped:
            return
        if self._timer is not None:
            if self._timer_when <= when:
                return
            self._timer.cancel()
        self._timer_when = when
        self._timer = self._loop.call_later(max(0.0, when - self._clock.monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        for due in self.timers.pop_due(self._clock.monotonic()):
            if isinstance(due, LeaseDue):
                self._watched.discard(due.shepherd_id)
            self._ring(due)
        self.arm()
