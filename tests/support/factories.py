"""Values for tests, with defaults for everything that a test doesn't care about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.dispatch.connection import Connection, ShepherdInfo
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import EndedTask, NewTask, Task
from sandbox.scheduler.commands import AttemptResult
from sandbox.scheduler.ready import ReadyTasks
from sandbox.scheduler.taskset import TaskSet
from sandbox.store.contract import TaskRecord

NOW_MS = 1_800_000_000_000

SHEPHERD = "00000000-0000-4000-8000-00000000000a"
OTHER_SHEPHERD = "00000000-0000-4000-8000-00000000000b"


def task_id(number: int) -> str:
    """A UUID that says which one it is."""
    return f"00000000-0000-8000-8000-{number:012x}"


def make_new(**changes: Any) -> NewTask:
    """What a client asks for."""
    return NewTask(**{"name": "render", **changes})


def make_task(number: int = 1, **changes: Any) -> Task:
    """A pending task in memory."""
    given: dict[str, Any] = {
        "task_id": task_id(number),
        "domain": "default",
        "queue": "default",
        "name": "render",
        "status": TaskStatus.PENDING,
        "created_ms": NOW_MS,
        "args": "[]",
        "kwargs": "{}",
    }
    return Task(**(given | changes))


def make_live(number: int = 1, **changes: Any) -> Task:
    """A task whose first attempt is with SHEPHERD."""
    return make_task(number, **({"status": TaskStatus.ASSIGNED, "attempt": 1, "shepherd_id": SHEPHERD} | changes))


def make_result(task: Task | str, attempt: int | None = None, **changes: Any) -> AttemptResult:
    """How the newest attempt of a task ended: well, unless told otherwise."""
    if isinstance(task, Task):
        known: dict[str, Any] = {"task_id": task.task_id, "attempt": task.attempt}
    else:
        known = {"task_id": task, "attempt": 1}
    if attempt is not None:
        known["attempt"] = attempt
    return AttemptResult(**({"outcome": AttemptOutcome.SUCCEEDED, "result": "1"} | known | changes))


def make_failure(task: Task | str, attempt: int | None = None, **changes: Any) -> AttemptResult:
    """An attempt that ended with a ValueError, which Azolla's default policy tries again."""
    failed = {
        "outcome": AttemptOutcome.FAILED,
        "result": None,
        "error_type": "ValueError",
        "error_message": "no such page",
    }
    return make_result(task, attempt, **(failed | changes))


def make_ended(number: int = 1, **changes: Any) -> EndedTask:
    """A task that succeeded."""
    given: dict[str, Any] = {
        "task_id": task_id(number),
        "domain": "default",
        "status": TaskStatus.SUCCEEDED,
        "attempt": 1,
        "ended_ms": NOW_MS,
        "result": "1",
    }
    return EndedTask(**(given | changes))


def make_record(number: int = 1, **changes: Any) -> TaskRecord:
    """A task as the store has it, nothing done for it yet."""
    given: dict[str, Any] = {
        "task_id": task_id(number),
        "domain": "default",
        "queue": "default",
        "name": "render",
        "status": TaskStatus.PENDING,
        "priority": 0,
        "attempt": 0,
        "uncounted": 0,
        "lost": 0,
        "created_ms": NOW_MS,
        "due_ms": 0,
        "started_ms": 0,
        "ended_ms": 0,
        "shepherd_id": "",
        "args": "[]",
        "kwargs": "{}",
        "retry_policy": None,
        "timeout_ms": 0,
        "labels": {},
        "idempotency_key": None,
        "flow_id": None,
        "cancel_requested": False,
        "result": None,
        "error_type": "",
        "error_message": "",
        "error_data": "",
        "retriable": False,
    }
    return TaskRecord(**(given | changes))


def every_error(max_attempts: int | None = 3, delay: float = 0.0, **changes: Any) -> RetryPolicy:
    """A policy that tries everything again after a fixed delay."""
    return RetryPolicy(
        **{
            "max_attempts": max_attempts,
            "strategy": WaitStrategy.FIXED,
            "delay": delay,
            "include_errors": ("TaskError",),
            **changes,
        }
    )


def make_info(shepherd_id: str = SHEPHERD, **changes: Any) -> ShepherdInfo:
    """An azolla-local shepherd with four places for every domain."""
    given: dict[str, Any] = {
        "shepherd_id": shepherd_id,
        "queue": "default",
        "domain": "",
        "all_domains": True,
        "max_concurrency": 4,
        "window": 4,
        "speaks_extensions": True,
        "epoch": 1,
    }
    return ShepherdInfo(**(given | changes))


def make_azolla_info(shepherd_id: str = SHEPHERD, **changes: Any) -> ShepherdInfo:
    """An Azolla shepherd with four places in the default domain."""
    given: dict[str, Any] = {
        "shepherd_id": shepherd_id,
        "queue": "default",
        "domain": "default",
        "max_concurrency": 4,
        "window": 4,
    }
    return ShepherdInfo(**(given | changes))


def make_connection(info: ShepherdInfo | None = None) -> Connection:
    """A connection that nobody reads from but the test."""
    return Connection(info or make_info(), lambda: None)


def make_taskset(tasks: Sequence[Task]) -> tuple[TaskSet, ReadyTasks]:
    """A state that holds these tasks, the pending ones in their lines."""
    taskset, ready = TaskSet(), ReadyTasks()
    for task in tasks:
        taskset.add(task)
        if task.status is TaskStatus.PENDING:
            ready.push(task)
    return taskset, ready
