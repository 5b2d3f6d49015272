"""What the orchestrator sends, as calls to the supervisor."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from shepherd.wire import codec
from shepherd.wire.messages import ServerMsg, Task
from shepherd.wire.payload import Assignment

REMEMBERED_TASKS = 100_000


class Work(Protocol):
    """The part of the supervisor that the link needs."""

    @property
    def held(self) -> int: ...
    def standing(self) -> list[tuple[str, int]]: ...
    def accept(self, assignments: Iterable[Assignment]) -> None: ...
    def cancel(self, task_id: str, attempt: int, reason: str) -> None: ...
    def refuse(self, keys: Iterable[tuple[str, int]]) -> None: ...
    def acknowledged(self, task_id: str, attempt: int) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class AttemptNumbers:
    """Numbers attempts for an orchestrator that doesn't: Azolla's sends the same task again for each attempt."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, task_id: str) -> int:
        """From 1. Tasks not seen for a long time are forgotten, and begin anew."""
        number = self._last.pop(task_id, 0) + 1
        self._last[task_id] = number
        if len(self._last) > REMEMBERED_TASKS:
            self._last.popitem(last=False)
        return number


class Assignments:
    """Hands messages on."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._numbers = AttemptNumbers()

    def tasks(self, tasks: Iterable[Task]) -> None:
        """A batch came in."""
        batch = codec.assignments(tasks)
        for assignment in batch:
            if assignment.attempt == 0:
                assignment.attempt = self._numbers.next(assignment.task_id)
        self._work.accept(batch)

    def handle(self, message: ServerMsg) -> None:
        """Anything else that concerns attempts."""
        kind = message.WhichOneof("kind")
        if kind == "tasks":
            self.tasks(message.tasks.tasks)
        elif kind == "task":
            self.tasks((message.task,))
        elif kind == "cancel":
            self._work.cancel(message.cancel.task_id, message.cancel.attempt, message.cancel.reason)
        elif kind == "drain":
            self._work.pause()
