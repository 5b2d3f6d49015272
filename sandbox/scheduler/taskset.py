"""What the orchestrator holds in memory: every task that has not ended, and who runs it.

It changes in one way only: `add` for a new task, `apply` for every event after that. The same events
are what the store gets, so memory and disk can't tell different stories.
"""

from __future__ import annotations

from collections import Counter

from sandbox.model.event import (
    AttemptAssigned,
    AttemptEnded,
    AttemptStarted,
    Event,
    TaskCancelRequested,
    TaskEnded,
    TaskRetrying,
)
from sandbox.model.status import TRANSITIONS, AttemptOutcome, TaskStatus
from sandbox.model.task import Task
from sandbox.scheduler.commands import Progress


class TaskSet:
    """Tasks by id, attempts by shepherd, tasks by idempotency key."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.by_shepherd: dict[str, set[str]] = {}
        self.by_key: dict[tuple[str, str], str] = {}
        """Idempotency keys, of ended tasks too, as (domain, key)."""
        self.progress: dict[str, Progress] = {}
        self.counts: Counter[tuple[str, TaskStatus]] = Counter()
        """How many unended tasks stand where, by domain."""

    def __len__(self) -> int:
        return len(self.tasks)

    def get(self, task_id: str) -> Task | None:
        """The task, if it has not ended."""
        return self.tasks.get(task_id)

    def running_on(self, shepherd_id: str) -> list[Task]:
        """The tasks whose live attempt is with that shepherd."""
        return [self.tasks[task_id] for task_id in self.by_shepherd.get(shepherd_id, ())]

    def in_flight(self, shepherd_id: str) -> int:
        """How many live attempts that shepherd has."""
        return len(self.by_shepherd.get(shepherd_id, ()))

    def add(self, task: Task) -> None:
        """A task that was just created, or one found on disk."""
        self.tasks[task.task_id] = task
        self.counts[task.domain, task.status] += 1
        if task.shepherd_id:
            self._hold(task)
        if task.idempotency_key is not None:
            self.by_key[task.domain, task.idempotency_key] = task.task_id

    def become_pending(self, task: Task) -> None:
        """Its time has come. No event: the moment follows from `due_ms`, which is on disk."""
        self._move(task, TaskStatus.PENDING)
        task.due_ms = 0

    def apply(self, event: Event) -> None:
        """Change the state as the event says. The event was decided on this very state."""
        task = self.tasks[event.task_id]
        match event:
            case AttemptAssigned():
                self._move(task, TaskStatus.ASSIGNED)
                task.attempt = event.attempt
                task.shepherd_id = event.shepherd_id
                task.started_ms = 0
                self._hold(task)
            case AttemptStarted():
                self._move(task, TaskStatus.RUNNING)
                task.started_ms = event.started_ms
            case AttemptEnded():
                self._release(task)
                if event.outcome is AttemptOutcome.LOST:
                    task.lost += 1
                    task.uncounted += 1
                elif event.outcome is AttemptOutcome.HANDED_BACK:
                    task.uncounted += 1
            case TaskRetrying():
                self._move(task, TaskStatus.RETRYING if event.due_ms else TaskStatus.PENDING)
                task.due_ms = event.due_ms
            case TaskCancelRequested():
                task.cancel_requested = True
            case TaskEnded():
                self._move(task, event.status)
                self.counts[task.domain, event.status] -= 1
                del self.tasks[task.task_id]
                self.progress.pop(task.task_id, None)
            case _:
                raise TypeError(f"{type(event).__name__} changes no task")

    def _move(self, task: Task, status: TaskStatus) -> None:
        if status not in TRANSITIONS[task.status]:
            raise ValueError(f"task {task.task_id} can't go from {task.status.word} to {status.word}")
        self.counts[task.domain, task.status] -= 1
        self.counts[task.domain, status] += 1
        task.status = status

    def _hold(self, task: Task) -> None:
        held = self.by_shepherd.get(task.shepherd_id)
        if held is None:
            held = self.by_shepherd[task.shepherd_id] = set()
        held.add(task.task_id)

    def _release(self, task: Task) -> None:
        held = self.by_shepherd.get(task.shepherd_id)
        if held is not None:
            held.discard(task.task_id)
            if not held:
                del self.by_shepherd[task.shepherd_id]
        task.shepherd_id = ""
