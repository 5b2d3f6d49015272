"""What is said of a task that is not there, or not in the domain that was asked."""

from __future__ import annotations

from sandbox.errors import TaskNotFound
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import TaskRecord


def not_found(task_id: str, why: str = "") -> TaskNotFound:
    """The error for an id that no task has."""
    return TaskNotFound("No such task", subject=task_id, why=why, hint="azolla-local ls shows the newest tasks")


def check_domain(task: Task | EndedTask | TaskRecord, domain: str | None) -> None:
    """TaskNotFound if the task is in another domain; with None every domain will do."""
    if domain is not None and task.domain != domain:
        raise not_found(task.task_id, f"there is none in domain {domain}")
