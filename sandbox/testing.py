"""For tests of your own tasks: a context that remembers what it was told.

::

    def test_report():
        ctx = FakeContext(labels={"team": "docs"})
        assert render(ctx, "page") == {"pages": 1}
        assert ctx.heartbeats == ["page 1 of 1"]

A task without a context needs nothing of this: `@task` leaves the function as it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from shepherd.definitions.context import Context
from shepherd.definitions.current_context import CURRENT

__all__ = ["FakeContext"]


class _Side:
    """Takes the place of a worker."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def heartbeat(self, note: str) -> None:
        self.notes.append(note)

    def work_folder(self) -> str:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="azolla-test-")
        return self._folder.name

    def clean_up(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class FakeContext(Context):
    """A `Context` without a worker. `time_left` sets the deadline; None: no deadline."""

    __slots__ = ("_fake",)

    def __init__(
        self,
        *,
        task_id: str = "01900000-0000-8000-8000-000000000001",
        attempt: int = 1,
        name: str = "task-under-test",
        domain: str = "default",
        queue: str = "default",
        time_left: timedelta | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._fake = _Side()
        deadline = None if time_left is None else datetime.now(UTC) + time_left
        super().__init__(
            task_id=task_id,
            attempt=attempt,
            name=name,
            domain=domain,
            queue=queue,
            side=self._fake,
            deadline_ms=None if deadline is None else round(deadline.timestamp() * 1000),
            labels=labels,
        )

    @property
    def heartbeats(self) -> list[str]:
        """The notes of all heartbeats, in order."""
        return self._fake.notes

    def cancel(self) -> None:
        """Let the task see that it is asked to end."""
        self.mark_cancelled()

    @contextmanager
    def active(self) -> Generator[FakeContext]:
        """Make it what `Context.current()` gives; its work folder is removed at the end."""
        token = CURRENT.set(_Attempt(self))
        try:
            yield self
        finally:
            CURRENT.reset(token)
            self._fake.clean_up()


class _Attempt:
    def __init__(self, context: Context) -> None:
        self._context = context

    def context(self) -> Context:
        return self._context
