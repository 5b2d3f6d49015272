"""What the scheduler needs of those around it: who chooses and reaches shepherds, who waits for tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sandbox.model.event import Event
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import EndedTask, Task
from sandbox.scheduler.commands import Assignment
from sandbox.scheduler.ready import ReadyTasks
from sandbox.scheduler.taskset import TaskSet


class Dispatch(Protocol):
    """The side of the shepherds. All calls come from the engine's event loop, and return at once."""

    def serve(self, taskset: TaskSet) -> None:
        """The state whose tasks are to be given out; told again whenever it was read anew."""
        ...

    def choose(self, ready: ReadyTasks) -> list[Assignment]:
        """Take as many tasks out of `ready` as shepherds have places for, and say who gets which."""
        ...

    def send(self, assigned: Sequence[tuple[Task, int]]) -> None:
        """These attempts, as (task, attempt), are on disk: tell the shepherds of those that are still live."""
        ...

    def cancel(self, task: Task, reason: str) -> bool:
        """Ask the shepherd to end the live attempt; False if it can't be asked."""
        ...

    def offered_policy(self, name: str) -> RetryPolicy | None:
        """The retry policy in the definition of that task name, if a shepherd has told one."""
        ...

    def keeps_deadlines(self, shepherd_id: str) -> bool:
        """Whether that shepherd ends attempts that run out of time by itself."""
        ...

    def lease_left(self, shepherd_id: str) -> float:
        """Seconds until the lease of that shepherd runs out; 0 or less: it has."""
        ...

    def lost(self, shepherd_id: str) -> None:
        """Its lease has run out: end its connection if it has one, so that it hears what isn't its own any more."""
        ...

    def reset(self) -> None:
        """The state was read anew from disk: end all connections, so that shepherds say what they have."""
        ...


class Audience(Protocol):
    """Those who wait for tasks to end, and for news."""

    def ended(self, tasks: Sequence[EndedTask]) -> None:
        """These tasks are over, and that is on disk."""
        ...

    def news(self, events: Sequence[Event]) -> None:
        """These events were appended, and are on disk."""
        ...
