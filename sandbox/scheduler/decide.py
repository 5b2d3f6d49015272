"""Command and state to events, or a refusal. Pure: no clock, no disk, no network, no change of state."""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern

from sandbox.model.event import (
    AttemptAssigned,
    AttemptEnded,
    AttemptStarted,
    Event,
    ResultRefused,
    TaskCancelRequested,
    TaskCreated,
    TaskEnded,
    TaskRetrying,
)
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import EndedTask, NewTask, Task
from sandbox.scheduler.commands import AttemptResult, AttemptUnderWay
from sandbox.scheduler.retries import Over, what_follows
from sandbox.scheduler.timers import DEADLINE_GRACE_S

_SHORT = 2
"""`[]` and `{}`: a hundred thousand tasks without input share them."""

_LIVE = (TaskStatus.ASSIGNED, TaskStatus.RUNNING)


def create(new: NewTask, task_id: str, now_ms: int) -> tuple[Task, TaskCreated]:
    """A new task and the fact of its creation."""
    later = new.not_before_ms > now_ms
    task = Task(
        task_id=task_id,
        domain=intern(new.domain),
        queue=intern(new.queue),
        name=intern(new.name),
        status=TaskStatus.SCHEDULED if later else TaskStatus.PENDING,
        created_ms=now_ms,
        args=new.args if len(new.args) > _SHORT else intern(new.args),
        kwargs=new.kwargs if len(new.kwargs) > _SHORT else intern(new.kwargs),
        priority=new.priority,
        due_ms=new.not_before_ms if later else 0,
        timeout_ms=new.timeout_ms,
        retry_policy=new.retry_policy,
        idempotency_key=new.idempotency_key,
        labels=new.labels or None,
        flow_id=new.flow_id,
    )
    created = TaskCreated(
        time_ms=now_ms,
        domain=new.domain,
        task_id=task_id,
        name=new.name,
        queue=new.queue,
        not_before_ms=task.due_ms or None,
    )
    return task, created


def assign(task: Task, shepherd_id: str, now_ms: int) -> AttemptAssigned:
    """The next attempt of a pending task goes to that shepherd."""
    return AttemptAssigned(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt + 1,
        shepherd_id=shepherd_id,
    )


def start(task: Task | None, shepherd_id: str, under_way: AttemptUnderWay, now_ms: int) -> AttemptStarted | None:
    """The fact that an attempt runs; None if it isn't that shepherd's live attempt, or was known."""
    if (
        task is None
        or task.status is not TaskStatus.ASSIGNED
        or task.shepherd_id != shepherd_id
        or task.attempt != under_way.attempt
    ):
        return None
    return AttemptStarted(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt,
        shepherd_id=shepherd_id,
        started_ms=under_way.started_ms or now_ms,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """What the end of an attempt leads to: events in their order, and the ended task if it is over."""

    events: tuple[Event, ...]
    task: EndedTask | None = None
    due_ms: int = 0
    """When the next attempt is due; 0 with no ended task: at once."""


def refusal(task: Task | None, shepherd_id: str, attempt: int) -> str | None:
    """Why a result doesn't count, or None if it does: only the live attempt of that very shepherd may end a task."""
    if task is None:
        return "the task has ended, or is unknown"
    if task.status not in _LIVE:
        return f"the task is {task.status.word}: no attempt of it is live"
    if task.attempt != attempt:
        return f"attempt {task.attempt} is the live one"
    if task.shepherd_id != shepherd_id:
        return f"the live attempt is with shepherd {task.shepherd_id}"
    return None


def refuse(result: AttemptResult, shepherd_id: str, domain: str, reason: str, now_ms: int) -> ResultRefused:
    """The fact that a result was not counted."""
    return ResultRefused(
        time_ms=now_ms,
        domain=domain,
        task_id=result.task_id,
        attempt=result.attempt,
        shepherd_id=shepherd_id,
        reason=reason,
    )


def lost(task: Task, why: str) -> AttemptResult:
    """What counts as the result of the live attempt when its shepherd is gone, or doesn't know it."""
    return AttemptResult(
        task_id=task.task_id,
        attempt=task.attempt,
        outcome=AttemptOutcome.LOST,
        error_type="Lost",
        error_message=why,
    )


def out_of_time(task: Task) -> AttemptResult:
    """What counts as the result of the live attempt when its shepherd has not ended it in time."""
    return AttemptResult(
        task_id=task.task_id,
        attempt=task.attempt,
        outcome=AttemptOutcome.TIMED_OUT,
        error_type="Timeout",
        error_message=f"not over {task.timeout_ms / 1000 + DEADLINE_GRACE_S:g} s after it was assigned",
    )


def cancelled_out_of_reach(task: Task, reason: str) -> AttemptResult:
    """What counts as the result of a cancelled attempt whose shepherd can't be asked; a late one doesn't."""
    return AttemptResult(
        task_id=task.task_id,
        attempt=task.attempt,
        outcome=AttemptOutcome.CANCELLED,
        error_type="Cancelled",
        error_message=reason or "cancelled; its shepherd could not be asked to end the attempt",
    )


def end_attempt(task: Task, result: AttemptResult, policy: RetryPolicy, now_ms: int, unit: float) -> Ended:
    """What follows from the result of the live attempt. `unit`: random in [0, 1), for the jitter."""
    attempt_ended = AttemptEnded(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt,
        shepherd_id=task.shepherd_id,
        outcome=result.outcome,
        error_type=result.error_type,
        error_message=result.error_message,
        error_data=result.error_data,
        started_ms=result.started_ms or task.started_ms,
        exit_code=result.exit_code,
        signal=result.signal,
        peak_memory_bytes=result.peak_memory_bytes,
        cpu_us=result.cpu_us,
        log_bytes=result.log_bytes,
        log_lines=result.log_lines,
        isolation=result.isolation,
        left_behind=result.left_behind,
    )
    follows = what_follows(task, result, policy, now_ms, unit)
    if isinstance(follows, Over):
        return _over(task, result, attempt_ended, follows, now_ms)
    due_ms = now_ms + follows.delay_ms if follows.delay_ms else 0
    retrying = TaskRetrying(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt,
        due_ms=due_ms,
        reason=follows.reason,
    )
    return Ended((attempt_ended, retrying), due_ms=due_ms)


def _over(task: Task, result: AttemptResult, attempt_ended: AttemptEnded, over: Over, now_ms: int) -> Ended:
    ended_event = TaskEnded(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt,
        status=over.status,
        reason=over.reason,
    )
    succeeded = over.status is TaskStatus.SUCCEEDED
    ended = EndedTask(
        task_id=task.task_id,
        domain=task.domain,
        status=over.status,
        attempt=task.attempt,
        ended_ms=now_ms,
        result=(result.result if result.result is not None else "null") if succeeded else None,
        error_type="" if succeeded else (result.error_type or _error_type(result.outcome)),
        error_message="" if succeeded else (result.error_message or over.reason),
        error_data=result.error_data or "{}",
        retriable=result.retriable and not succeeded,
    )
    return Ended((attempt_ended, ended_event), ended)


def _error_type(outcome: AttemptOutcome) -> str:
    return "Error" if outcome is AttemptOutcome.FAILED else "".join(part.title() for part in outcome.name.split("_"))


def cancel(task: Task, reason: str, now_ms: int) -> Ended:
    """Cancel a task: at once if no attempt of it is live, else by asking its shepherd to end the attempt."""
    if task.status in _LIVE:
        if task.cancel_requested:
            return Ended(())
        requested = TaskCancelRequested(
            time_ms=now_ms, domain=task.domain, task_id=task.task_id, attempt=task.attempt, reason=reason
        )
        return Ended((requested,))
    ended_event = TaskEnded(
        time_ms=now_ms,
        domain=task.domain,
        task_id=task.task_id,
        attempt=task.attempt,
        status=TaskStatus.CANCELLED,
        reason=reason,
    )
    ended = EndedTask(
        task_id=task.task_id,
        domain=task.domain,
        status=TaskStatus.CANCELLED,
        attempt=task.attempt,
        ended_ms=now_ms,
        error_type="Cancelled",
        error_message=reason or "cancelled before it ran",
    )
    return Ended((ended_event,), ended)
