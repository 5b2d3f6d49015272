"""What is decided between two commits: kept together or not at all, and what is to happen once it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.errors import StoreError
from sandbox.model.event import Event
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import WriteGroup


class Group:
    """One write to the store with everybody who waits for it."""

    __slots__ = ("assigned", "changed", "created", "ended", "events", "then", "waiting")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.created: dict[str, Task] = {}
        self.changed: dict[str, Task] = {}
        self.ended: list[EndedTask] = []
        self.assigned: list[tuple[Task, int]] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.then: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self.events or self.waiting or self.then)

    def touch(self, task: Task) -> None:
        """The task's row has to be written again, unless this group writes it for the first time anyway."""
        if task.task_id not in self.created:
            self.changed[task.task_id] = task

    def to_write(self) -> WriteGroup:
        """In the form that the store takes."""
        return WriteGroup(
            events=self.events,
            created=list(self.created.values()),
            changed=list(self.changed.values()),
            ended=self.ended,
        )

    def fail(self, error: StoreError) -> None:
        """Tell everybody who waits that nothing of it was kept."""
        for future in self.waiting:
            if not future.done():
                future.set_exception(error)
