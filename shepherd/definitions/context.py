"""What a running task may ask and tell: the context that is handed to it.

Imported in every worker of Python tasks: it imports nothing before it is needed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import Any, Protocol

    class WorkerSide(Protocol):
        """What a worker does for the context of one attempt."""

        def heartbeat(self, note: str) -> None:
            """Tell the shepherd that the attempt is alive, and how far it has come."""
            ...

        def work_folder(self) -> str:
            """A folder for this attempt alone; made on first use where there was none."""
            ...


LONGEST_NOTE = 1000
"""Characters of a heartbeat's note that are kept."""


class Context:
    """The attempt that runs: who it is, how long it may take, and a way to say how it goes.

    A task receives it as the first parameter if that is annotated `Context` or called `ctx`; code deeper down gets
    it from :meth:`current`. In tests of your own tasks use `sandbox.testing.FakeContext`.
    """

    __slots__ = (
        "_cancelled",
        "_deadline_ms",
        "_labels",
        "_logger",
        "_side",
        "attempt",
        "domain",
        "name",
        "queue",
        "task_id",
    )

    def __init__(
        self,
        *,
        task_id: str,
        attempt: int,
        name: str,
        domain: str,
        queue: str,
        side: WorkerSide,
        deadline_ms: int | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.task_id = task_id
        self.attempt = attempt
        self.name = name
        self.domain = domain
        self.queue = queue
        self._side = side
        self._deadline_ms = deadline_ms
        self._labels = labels
        self._logger: logging.Logger | None = None
        self._cancelled = False

    @staticmethod
    def current() -> Context:
        """The context of the attempt that this code runs in. RuntimeError outside of one."""
        from shepherd.definitions.current_context import CURRENT

        found = CURRENT.get()
        if found is None:
            raise RuntimeError("this code doesn't run in an attempt of a task")
        return found.context()

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of the task."""
        return self._labels or {}

    @property
    def deadline(self) -> datetime | None:
        """When the attempt will be stopped, with time zone; None if it may run for ever."""
        if self._deadline_ms is None:
            return None
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self._deadline_ms / 1000, tz=UTC)

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, 0 when it has passed; None if there is none."""
        if self._deadline_ms is None:
            return None
        from time import time

        return max(0.0, self._deadline_ms / 1000 - time())

    @property
    def cancelled(self) -> bool:
        """Whether the attempt was asked to end. Long loops look at it; async tasks are cancelled anyway."""
        return self._cancelled

    @property
    def work_folder(self) -> Path:
        """A folder for the files of this attempt alone; it is removed when the attempt has ended."""
        from pathlib import Path

        return Path(self._side.work_folder())

    @property
    def logger(self) -> logging.Logger:
        """A logger that writes to the log of this attempt, level and message a line."""
        if self._logger is None:
            from shepherd.definitions.task_logging import attempt_logger

            self._logger = attempt_logger(self.name)
        return self._logger

    def heartbeat(self, note: str = "") -> None:
        """Tell that the task is alive and where it stands (`"step 3 of 9"`), kept as last seen. Not a log."""
        self._side.heartbeat(str(note)[:LONGEST_NOTE])

    def mark_cancelled(self) -> None:
        """Called by the worker when the attempt is to end."""
        self._cancelled = True

    def __repr__(self) -> str:
        return f"<Context {self.name} {self.task_id} attempt {self.attempt}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Context belongs to its attempt and can't be pickled")
