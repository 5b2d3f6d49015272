"""The time, as something that is handed in, so that tests can move it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the orchestrator reads the time from."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch; may step when the system's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
