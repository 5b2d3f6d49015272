"""Why a task stands where it stands: one sentence for people, and what they can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.model.event import EventType
from sandbox.model.retry_policy import DEFAULT, RetryPolicy
from sandbox.model.status import TaskStatus
from sandbox.model.task import Task
from sandbox.scheduler.ready import ReadyTasks
from sandbox.store.contract import EventRecord, TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer. `hints` are commands to try; `detail` has the numbers behind the sentence."""

    status: TaskStatus
    sentence: str
    hints: list[str] = field(default_factory=list[str])
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


def explain(
    record: TaskRecord,
    events: Sequence[EventRecord],
    *,
    live: Task | None,
    ready: ReadyTasks,
    servers: Sequence[tuple[bool, bool, str]],
    now_ms: int,
) -> Why:
    """From what is kept and what the scheduler holds.

    `servers`: for each known shepherd whether it serves this task, whether it is connected, and its queue.
    """
    short = record.task_id
    attempts = _attempts(record)
    match record.status:
        case TaskStatus.PENDING:
            return _pending(record, live, ready, servers)
        case TaskStatus.SCHEDULED:
            return Why(
                status=record.status,
                sentence=f"It waits for its start time, {_seconds(record.due_ms - now_ms)} from now.",
                detail={"due_ms": record.due_ms},
            )
        case TaskStatus.ASSIGNED:
            return Why(
                status=record.status,
                sentence=f"Attempt {record.attempt} was sent to shepherd {record.shepherd_id}, "
                "which has not yet said that it runs: it waits there for a free place.",
                hints=["azolla-local status"],
            )
        case TaskStatus.RUNNING:
            since = _seconds(now_ms - record.started_ms) if record.started_ms else "a moment"
            return Why(
                status=record.status,
                sentence=f"Attempt {record.attempt} has run for {since} on shepherd {record.shepherd_id}.",
                hints=[f"azolla-local logs -f {short}"],
            )
        case TaskStatus.RETRYING:
            return Why(
                status=record.status,
                sentence=f"{_last_failure(events)} Attempt {record.attempt + 1} starts in "
                f"{_seconds(record.due_ms - now_ms)}.",
                hints=[f"azolla-local logs {short}"],
                detail={"due_ms": record.due_ms, "attempts": attempts},
            )
        case TaskStatus.SUCCEEDED:
            tries = "at the first attempt" if record.attempt == 1 else f"at attempt {record.attempt}"
            return Why(status=record.status, sentence=f"It succeeded {tries}.", hints=[f"azolla-local show {short}"])
        case _:
            return Why(
                status=record.status,
                sentence=_ending(record, events, attempts),
                hints=[f"azolla-local logs {short}", f"azolla-local show {short}"],
                detail={"attempts": attempts, "error_type": record.error_type},
            )


def _attempts(record: TaskRecord) -> int:
    return record.attempt - record.uncounted


def _pending(
    record: TaskRecord, live: Task | None, ready: ReadyTasks, servers: Sequence[tuple[bool, bool, str]]
) -> Why:
    serving = [connected for serves, connected, _ in servers if serves]
    if not any(serving):
        others = sorted({queue for _, connected, queue in servers if connected})
        if serving:
            known = "The shepherds that serve it are not connected."
        elif others:
            known = f"Connected shepherds serve {', '.join(others)}."
        else:
            known = "No shepherd is connected."
        return Why(
            status=record.status,
            sentence=f"No connected shepherd serves queue {record.queue} of domain {record.domain}. {known}",
            hints=["azolla-local status", "azolla-local up"],
        )
    line = ready.line(record.domain, record.queue)
    ahead = line.position(live) if line is not None and live is not None else None
    return Why(
        status=record.status,
        sentence=f"All places of the shepherds that serve queue {record.queue} are taken"
        + (f"; {_tasks_go(ahead)} before it." if ahead else "; it is the next."),
        hints=["azolla-local status"],
        detail={"ahead": ahead},
    )


def _tasks_go(count: int) -> str:
    return "1 task goes" if count == 1 else f"{count:,} tasks go"


def _ending(record: TaskRecord, events: Sequence[EventRecord], attempts: int) -> str:
    reason = next(
        (str(event.metadata.get("reason", "")) for event in reversed(events) if event.type == EventType.TASK_ENDED), ""
    )
    if record.status is TaskStatus.CANCELLED:
        asked = next(
            (event.metadata.get("reason") for event in events if event.type == EventType.TASK_CANCEL_REQUESTED), None
        )
        reason = ", ".join(part for part in (reason, str(asked or "")) if part)
        return f"It was cancelled: {reason}." if reason else "It was cancelled."
    policy = RetryPolicy.from_json(record.retry_policy) if record.retry_policy else DEFAULT
    most = f" of {policy.max_attempts}" if record.retry_policy and policy.max_attempts else ""
    times = "attempt" if attempts == 1 else f"attempts, {attempts}{most} in all"
    because = f" It was not tried again: {reason}." if reason else ""
    return f"{_last_failure(events) or f'The last {times} failed.'}{because}"


def _last_failure(events: Sequence[EventRecord]) -> str:
    for event in reversed(events):
        if event.type == EventType.ATTEMPT_ENDED:
            told = event.metadata
            outcome = str(told.get("outcome", "failed"))
            kind, message = str(told.get("error_type", "")), str(told.get("error_message", ""))
            said = f" with {kind}: {message.splitlines()[0]}" if kind and message else f" with {kind}" if kind else ""
            return f"Attempt {event.attempt} {_verb(outcome)}{said.rstrip('.')}."
    return ""


def _verb(outcome: str) -> str:
    return {
        "timed-out": "timed out",
        "lost": "was lost",
        "handed-back": "was handed back",
        "cancelled": "was cancelled",
    }.get(outcome, outcome)


def _seconds(ms: int) -> str:
    seconds = max(0, ms) / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
