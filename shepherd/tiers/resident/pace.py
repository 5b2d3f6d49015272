"""How many attempts to send ahead into a warm worker that runs them one after another.

Quick ones are sent many at a time, so that neither side waits for the other. Slow ones go one by one: what stands behind
a slow one in a worker can't be run by another that is free.
"""

from __future__ import annotations

QUEUED_AHEAD_S = 0.01
"""So much work may wait inside a worker, by the pace seen so far."""

DEEPEST = 64
CAUTIOUS_ATTEMPTS = 200
"""After a crash with several attempts in the worker, so many go one by one: the next crash has one suspect."""


class Pace:
    """The pace of one pool of workers: rises slowly, falls at once."""

    __slots__ = ("_caution", "_seconds", "depth")

    def __init__(self) -> None:
        self._seconds = 0.0
        """Per attempt, lately; 0: none has ended yet."""
        self._caution = 0
        self.depth = 1
        """How many attempts a worker may hold now, the running one included."""

    def note(self, busy_s: float, ended: int) -> None:
        """So many attempts ended within this time of a worker."""
        seconds = busy_s / ended
        before = self._seconds
        seconds = seconds if seconds > before or not before else before + 0.5 * (seconds - before)
        self._seconds = max(seconds, 1e-6)
        if self._caution:
            self._caution = max(0, self._caution - ended)
            return
        self.depth = min(DEEPEST, max(1, int(QUEUED_AHEAD_S / self._seconds)))

    def slow(self) -> None:
        """An attempt runs longer than quick ones do."""
        self._seconds = max(self._seconds, QUEUED_AHEAD_S)
        self.depth = 1

    def crashed(self) -> None:
        """A worker died with more than one suspect."""
        self._caution = CAUTIOUS_ATTEMPTS
        self.depth = 1
