"""How long to wait before a sink is tried again.

Full jitter below a doubling bound, so that many shippers don't come back together. The breaker belongs to the
sink, not to an attempt: after a failure nothing else is sent to it until one try has gone through.
"""

from __future__ import annotations

from collections.abc import Callable

from logsinks.errors import Busy, Denied

FIRST_S = 0.1
LONGEST_S = 30.0
DENIED_S = 15.0
"""A sink that denies is asked again so often, to notice when somebody has acted."""


class Breaker:
    """One for each sink. `random` gives numbers in [0, 1)."""

    __slots__ = ("_random", "failures")

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.failures = 0
        """In a row."""

    def succeeded(self) -> None:
        """A call has gone through."""
        self.failures = 0

    def failed(self, error: BaseException) -> float:
        """Seconds until the next try."""
        self.failures += 1
        if isinstance(error, Denied):
            return DENIED_S
        bound = min(LONGEST_S, FIRST_S * 2 ** min(self.failures - 1, 16))
        wait = bound * (0.5 + 0.5 * self._random())
        if isinstance(error, Busy) and error.after is not None:
            return max(error.after, wait)
        return wait
