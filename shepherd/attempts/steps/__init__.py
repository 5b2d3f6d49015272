"""What is done for an attempt with a process of its own, one file a step. `runner` has the order."""

from __future__ import annotations

from typing import Protocol

from shepherd.attempts.attempt import Attempt
from shepherd.wire.payload import End


class Step(Protocol):
    """One step. Its undoing runs whether or not the step got to its end, and once."""

    name: str

    async def do(self, attempt: Attempt) -> End | None:
        """Take it. An end: the attempt is over, and no further step is taken."""
        ...

    async def undo(self, attempt: Attempt, end: End) -> None:
        """Leave nothing behind, and add to the end what is known only now."""
        ...
