"""Waits for tasks on behalf of `wait`, `run` and `submit --wait`, with progress, and says how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.cli.invocation import Invocation
from sandbox.cli.output import dump_json
from sandbox.cli.progress import Progress
from sandbox.cli.task_exit import exit_code, sentence
from sandbox.errors import Unavailable
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask

if TYPE_CHECKING:
    from sandbox.client import Client, TaskInfo


class NotInTime(Unavailable):
    """A task has not ended in the time that was given to wait for it."""

    code = "unavailable.not-in-time"


def wait_for(inv: Invocation, client: Client, ids: Sequence[str], timeout_s: float | None = None) -> int:
    """Wait for all of them; gives the exit code. One task: its own code. Several: 0 if all succeeded, else 1."""
    if len(ids) == 1:
        return wait_for_one(inv, client, ids[0], timeout_s)
    counts: dict[TaskStatus, int] = {}
    with Progress(inv.out, "waiting", len(ids)) as progress:
        try:
            for ended in client.as_completed(ids, timeout_s):
                counts[ended.status] = counts.get(ended.status, 0) + 1
                progress.advance(note=summary(counts))
                _print_ended(inv, ended)
        except TimeoutError:
            raise _not_in_time(f"{len(ids) - progress.count:,} of {len(ids):,} tasks", timeout_s) from None
    inv.out.note(f"{progress.rate()}: {summary(counts)}")
    return 0 if counts.keys() <= {TaskStatus.SUCCEEDED} else 1


def wait_for_one(inv: Invocation, client: Client, task_id: str, timeout_s: float | None = None) -> int:
    """Wait for a task, print its result, say how it ended; gives its exit code."""
    try:
        with Progress(inv.out, f"waiting for {task_id}", None, noun=""):
            client.wait(task_id, timeout_s)
    except TimeoutError:
        raise _not_in_time(f"Task {task_id}", timeout_s) from None
    return print_ended(inv, client.get(task_id))


def print_ended(inv: Invocation, task: TaskInfo, *, result: bool = True) -> int:
    """Print the result of a task that has ended to stdout, and how it ended to stderr; gives its exit code."""
    if inv.json:
        inv.out.json_value(task.raw)
    elif inv.quiet:
        pass
    else:
        if result and task.status is TaskStatus.SUCCEEDED and task.result is not None:
            inv.out.line(result_text(task.result, inv))
        inv.out.note(sentence(task, inv.out))
        if task.status is not TaskStatus.SUCCEEDED:
            hint = inv.out.suggested(f"azolla-local show {task.task_id}")
            inv.out.note(f"  {inv.out.err_style('try:', 'cyan')} {hint}")
    return exit_code(task)


def result_text(result: Any, inv: Invocation) -> str:
    """A result for people and pipes: JSON, indented on a terminal."""
    return inv.out.safe(dump_json(result, indent=inv.out.stdout_is_terminal), one_line=False)


def summary(counts: dict[TaskStatus, int]) -> str:
    """`900 succeeded, 100 failed`."""
    return ", ".join(f"{count:,} {status.word}" for status, count in sorted(counts.items()))


def _print_ended(inv: Invocation, ended: EndedTask) -> None:
    if inv.json:
        inv.out.json_line(
            {
                "task_id": ended.task_id,
                "status": ended.status.word,
                "attempt": ended.attempt,
                "error_type": ended.error_type or None,
                "error_message": ended.error_message or None,
            }
        )
    elif not inv.out.stdout_is_terminal or ended.status is not TaskStatus.SUCCEEDED:
        inv.out.line(f"{ended.task_id}\t{ended.status.word}")


def _not_in_time(what: str, timeout_s: float | None) -> NotInTime:
    return NotInTime(
        f"{what} had not ended in time", why=f"the time to wait was {timeout_s:g} seconds", hint="azolla-local ls"
    )
