"""The attempt that the running code belongs to, by context variable, so that it follows async tasks and threads."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from shepherd.definitions.context import Context

    class AttemptSide(Protocol):
        """The worker's side of one attempt."""

        def context(self) -> Context:
            """Its context, made when it is first asked for: most tasks never do."""
            ...


CURRENT: ContextVar[AttemptSide | None] = ContextVar("azolla_local_attempt", default=None)
