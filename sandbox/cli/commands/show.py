"""`azolla-local show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import times
from sandbox.cli.completion import task_ids
from sandbox.cli.invocation import Invocation
from sandbox.cli.output import STATUS_STYLES, Output, dump_json, terminal_width
from sandbox.model.status import TaskStatus

if TYPE_CHECKING:
    from sandbox.client import Attempt, TaskInfo

_BAR = 24
_LONGEST = 2000
"""Characters of an input or result that the card shows; --json has all of it."""


def command(
    inv: Invocation,
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Ids.", autocompletion=task_ids)],
) -> None:
    """Show a task: input, attempts, result.

    The bars show when each attempt waited (·) and ran (━) between the creation of the task and its end.
    """
    with inv.client() as client:
        for at, text in enumerate(tasks):
            task = client.get(text)
            if inv.json:
                inv.out.json_value(task.raw) if len(tasks) == 1 else inv.out.json_line(task.raw)
                continue
            if at:
                inv.out.line()
            for line in card(task, inv.out):
                inv.out.line(line)


def card(task: TaskInfo, out: Output) -> Iterator[str]:
    """The task for people, line by line."""
    yield f"{out.style(out.safe(task.name), 'bold')}  {out.status(task.status.word)}{_reason(task, out)}"
    yield _field("task", task.task_id, out)
    yield _field("where", f"domain {task.domain}, queue {task.queue}, priority {task.priority}", out)
    yield _field("created", _moment(task.created_ms), out)
    if task.due_ms and not task.status.ended:
        yield _field("due", _moment(task.due_ms), out)
    if task.ended_ms is not None:
        yield _field("ended", f"{_moment(task.ended_ms)}, after {_between(task.created_ms, task.ended_ms)}", out)
    for name in ("timeout_ms", "idempotency_key", "retry_policy"):
        value = task.raw.get(name)
        if value is not None:
            yield _field(name.removesuffix("_ms").replace("_", " "), _setting(name, value), out)
    if task.labels:
        yield _field("labels", ", ".join(f"{key}={value}" for key, value in task.labels.items()), out)
    yield _field("args", _json(task.args), out)
    if task.kwargs:
        yield _field("kwargs", _json(task.kwargs), out)
    if task.status is TaskStatus.SUCCEEDED:
        yield _field("result", _json(task.result), out)
    progress = task.raw.get("progress")
    if progress:
        yield _field("last said", f"{progress['note']} ({_moment(progress['time_ms'])})", out)
    if task.error_type:
        message = f": {task.error_message}" if task.error_message else ""
        yield _field("error", f"{task.error_type}{message}", out)
    yield from _attempts(task, out)
    yield ""
    yield out.style(out.suggested(_next_steps(task)), "dim")


def _attempts(task: TaskInfo, out: Output) -> Iterator[str]:
    if not task.attempts:
        return
    end_ms = task.ended_ms or round(times.now().timestamp() * 1000)
    yield ""
    yield out.style("attempts", "bold")
    room = terminal_width() if out.stdout_is_terminal else 10_000
    for attempt in task.attempts:
        word = attempt.outcome or "running"
        bar = _bar(attempt, task.created_ms, end_ms)
        head = f"  {attempt.attempt:>2}  {out.style(bar, STATUS_STYLES.get(word, ''))}  {out.status(word)}"
        yield f"{head}  {out.safe(_about(attempt))[: max(20, room - _BAR - 20)]}".rstrip()
        left_behind = attempt.raw.get("left_behind")
        if left_behind:
            yield f"      {out.style('left behind:', 'yellow')} {out.safe(left_behind)}"
        for log in attempt.raw.get("logs", ()):
            yield out.style(f"      log {out.safe(str(log['sink']))}: {out.safe(str(log['locator']))}", "dim")


def _bar(attempt: Attempt, created_ms: int, end_ms: int) -> str:
    """When it waited and ran, between the creation of the task and its end."""
    whole = max(1, end_ms - created_ms)

    def place(time_ms: int | None, default: int) -> int:
        return min(_BAR, max(0, round(((time_ms or default) - created_ms) / whole * _BAR)))

    assigned = place(attempt.assigned_ms, created_ms)
    started = place(attempt.started_ms, attempt.assigned_ms or created_ms)
    ended = max(started, place(attempt.ended_ms, end_ms))
    if ended == started:
        started = min(started, _BAR - 1)
        ended = started + 1
    assigned = min(assigned, started)
    return " " * assigned + "·" * (started - assigned) + "━" * (ended - started) + " " * (_BAR - ended)


def _about(attempt: Attempt) -> str:
    raw = attempt.raw
    parts: list[str] = []
    if attempt.started_ms and attempt.ended_ms:
        parts.append(_between(attempt.started_ms, attempt.ended_ms))
    if attempt.exit_code:
        parts.append(f"exit {attempt.exit_code}")
    if attempt.signal:
        parts.append(f"signal {attempt.signal}")
    if attempt.error_type:
        parts.append(f"{attempt.error_type}: {attempt.error_message}" if attempt.error_message else attempt.error_type)
    if raw.get("peak_memory_bytes"):
        parts.append(f"{raw['peak_memory_bytes'] / 2**20:.0f} MiB")
    if raw.get("log_lines"):
        parts.append(f"{raw['log_lines']} log line{'s' * (raw['log_lines'] != 1)}")
    if raw.get("refused"):
        parts.append(f"{len(raw['refused'])} late results refused")
    return ", ".join(parts)


def _field(name: str, value: str, out: Output) -> str:
    return f"{out.style(f'  {name:<16}', 'dim')}{out.safe(value)}"


def _reason(task: TaskInfo, out: Output) -> str:
    if task.raw.get("cancel_requested") and not task.status.ended:
        return out.style("  being cancelled", "yellow")
    return ""


def _json(value: Any) -> str:
    text = dump_json(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters; all with --json)"


def _setting(name: str, value: Any) -> str:
    return times.span(value / 1000) if name.endswith("_ms") else value if isinstance(value, str) else dump_json(value)


def _moment(time_ms: int) -> str:
    return times.clock(time_ms)


def _between(start_ms: int, end_ms: int) -> str:
    return times.span(max(0, end_ms - start_ms) / 1000)


def _next_steps(task: TaskInfo) -> str:
    steps = [f"azolla-local logs {task.task_id}"]
    if task.status is not TaskStatus.SUCCEEDED:
        steps.append(f"azolla-local why {task.task_id}")
    return "  " + "\n  ".join(steps)
