"""How a task ended, as an exit code and as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.cli.output import Output
from sandbox.cli.times import span
from sandbox.model.status import TaskStatus

if TYPE_CHECKING:
    from sandbox.client.records import TaskInfo

FAILED = 1
TIMED_OUT = 124
NOT_EXECUTABLE = 126
NOT_FOUND = 127


def exit_code(task: TaskInfo) -> int:
    """The code with which `run` and `wait` exit for a task that has ended; see `azolla-local help exit-codes`."""
    if task.status is TaskStatus.SUCCEEDED:
        return 0
    if task.status is TaskStatus.TIMED_OUT:
        return TIMED_OUT
    if task.error_type == "CommandNotFound":
        return NOT_FOUND
    if task.error_type == "CommandNotExecutable":
        return NOT_EXECUTABLE
    last = task.attempts[-1] if task.attempts else None
    if last is None or task.status in {TaskStatus.CANCELLED, TaskStatus.LOST}:
        return FAILED
    if last.signal:
        return 128 + last.signal
    return last.exit_code or FAILED


def sentence(task: TaskInfo, out: Output) -> str:
    """What became of the task, on one line for stderr."""
    status = out.err_style(task.status.word, "green" if task.status is TaskStatus.SUCCEEDED else "red bold")
    parts = [f"{status}"]
    if task.attempt > 1:
        parts.append(f"after {task.attempt} attempts")
    if task.ended_ms is not None:
        parts.append(f"in {span((task.ended_ms - task.created_ms) / 1000)}")
    text = " ".join(parts)
    if task.error_type:
        message = f": {out.safe(task.error_message)}" if task.error_message else ""
        text += f": {out.safe(task.error_type)}{message}"
    return text
