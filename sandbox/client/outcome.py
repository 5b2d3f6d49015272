"""How a task ended, for those who asked for its result."""

from __future__ import annotations

from typing import Any

from sandbox.model import exact_json
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask


class TaskFailed(Exception):
    """`result()` was asked of a task that has none. `ended` has its status, error and attempts."""

    def __init__(self, ended: EndedTask) -> None:
        text = f"task {ended.task_id} {ended.status.word} after {ended.attempt} attempt{'s' * (ended.attempt != 1)}"
        if ended.error_type:
            text += f": {ended.error_type}: {ended.error_message}"
        super().__init__(text)
        self.ended = ended

    def __reduce__(self) -> tuple[type[TaskFailed], tuple[EndedTask]]:
        return (TaskFailed, (self.ended,))


def result_of(ended: EndedTask) -> Any:
    """What the task returned, read from JSON; None if it returned nothing. Raises TaskFailed."""
    if ended.status is not TaskStatus.SUCCEEDED:
        raise TaskFailed(ended)
    return None if ended.result is None else exact_json.loads(ended.result.encode())
