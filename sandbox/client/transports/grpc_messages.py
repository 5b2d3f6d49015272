"""Submissions and ended tasks as gRPC messages; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.client.submission import Submission, seconds
from sandbox.errors import BadArguments, InternalError, TaskNotFound
from sandbox.model import exact_json
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from shepherd.wire import messages


def create_request(submission: Submission, now: datetime | None = None) -> Any:
    """A CreateTaskRequest."""
    request: Any = messages.CreateTaskRequest(
        name=submission.name,
        domain=submission.domain,
        args=_json(list(submission.args), submission.name) if submission.args else "[]",
        kwargs=_json(dict(submission.kwargs), submission.name) if submission.kwargs else "{}",
        shepherd_group=submission.queue,
        priority=submission.priority,
        timeout_ms=0 if submission.timeout is None else max(1, round(seconds(submission.timeout) * 1000)),
        not_before_ms=submission.start_ms(now or datetime.now(UTC)),
        labels=dict(submission.labels),
    )
    if submission.key is not None:
        request.idempotency_key = submission.key
    policy = submission.policy()
    if policy is not None:
        _fill_policy(request.retry_policy, policy)
    return request


def create_tasks_request(submissions: Sequence[Submission]) -> Any:
    """A CreateTasksRequest."""
    now = datetime.now(UTC)
    return messages.CreateTasksRequest(tasks=[create_request(submission, now) for submission in submissions])


def ended_task(message: Any) -> EndedTask:
    """The task of a TaskEnded message."""
    return _ended(message.task_id, message.answer, TaskStatus.from_word(message.status), message.attempts)


def _ended(task_id: str, answer: Any, status: TaskStatus, attempts: int) -> EndedTask:
    if answer.status_code == messages.WaitForTaskStatus.Value("WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND"):
        raise TaskNotFound("No such task", subject=task_id)
    if answer.WhichOneof("result_type") == "success":
        result = _json_of(answer.success.result)
        return EndedTask(task_id=task_id, domain="", status=status, attempt=attempts, ended_ms=0, result=result)
    if answer.WhichOneof("result_type") != "error":
        raise InternalError("An ended task came with neither result nor error", subject=task_id)
    error = answer.error
    return EndedTask(
        task_id=task_id,
        domain="",
        status=status,
        attempt=attempts,
        ended_ms=0,
        error_type=error.type,
        error_message=error.message,
        error_data=error.data or "{}",
        retriable=error.retriable,
    )


def _json_of(value: Any) -> str:
    """The JSON text of an AnyValue."""
    kind = value.WhichOneof("value")
    if kind is None:
        return "null"
    found = getattr(value, kind)
    return found if kind == "json_value" else exact_json.dumps(found)


def _json(value: Any, name: str) -> str:
    try:
        return exact_json.dumps(value)
    except (TypeError, ValueError) as error:
        raise BadArguments("The input can't be sent as JSON", subject=name, why=str(error)) from error


def _fill_policy(message: Any, policy: RetryPolicy) -> None:
    message.version = 1
    message.stop.SetInParent()
    if policy.max_attempts is not None:
        message.stop.max_attempts = policy.max_attempts
    if policy.max_elapsed is not None:
        message.stop.max_delay = policy.max_elapsed
    if policy.strategy is WaitStrategy.FIXED:
        message.wait.fixed.delay = policy.delay
        message.wait.fixed.SetInParent()
    else:
        wait = (
            message.wait.exponential if policy.strategy is WaitStrategy.EXPONENTIAL else message.wait.exponential_jitter
        )
        wait.initial_delay = policy.initial_delay
        wait.multiplier = policy.multiplier
        wait.max_delay = policy.max_delay
    message.retry.include_errors.extend(policy.include_errors)
    message.retry.exclude_errors.extend(policy.exclude_errors)
    message.retry.SetInParent()
