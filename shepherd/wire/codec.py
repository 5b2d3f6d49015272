"""Wire messages ⇄ plain objects, for the shepherd's end of the stream."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from shepherd.wire.messages import (
    AnyValue,
    AttemptOutcome,
    AttemptReport,
    ErrorResult,
    RetryPolicy,
    SuccessResult,
    Task,
    TaskOffer,
    TaskResult,
)
from shepherd.wire.payload import Assignment, End, Outcome

LARGEST_RESULT_BYTES = 32 * 1024 * 1024
"""A result above this fails its attempt: the stream takes messages of 64 MiB."""

_NO_LABELS: dict[str, str] = {}
# The stubs have a class of its own for the enum; on the wire and at run time it is a number.
_OUTCOMES = cast("dict[Outcome, AttemptOutcome]", {outcome: int(outcome) for outcome in Outcome})


def assignment(task: Task) -> Assignment:
    """One task of a batch as a plain object."""
    return Assignment(
        task_id=task.task_id,
        attempt=task.attempt,
        name=task.name,
        args=task.args or "[]",
        kwargs=task.kwargs or "{}",
        domain=task.domain or "default",
        queue=task.queue or "default",
        timeout_ms=task.timeout_ms,
        created_ms=task.created_ms,
        labels=dict(task.labels) if len(task.labels) else _NO_LABELS,
    )


def assignments(tasks: Iterable[Task]) -> list[Assignment]:
    """All tasks of a batch, in order."""
    return [assignment(task) for task in tasks]


def result(task_id: str, attempt: int, end: End) -> TaskResult:
    """An end as the message that reports it. A result too large for the stream becomes a failure that says so."""
    if len(end.result_json) > LARGEST_RESULT_BYTES:
        end = _too_large(end)
    try:
        return _result(task_id, attempt, end)
    except UnicodeEncodeError:
        # Half a surrogate pair, from a file name or a broken string: it has no UTF-8, and the wire has nothing else.
        end.result_json = _sound(end.result_json)
        end.error_type = _sound(end.error_type)
        end.error_message = _sound(end.error_message)
        end.error_data = _sound(end.error_data)
        end.left_behind = _sound(end.left_behind)
        return _result(task_id, attempt, end)


def _result(task_id: str, attempt: int, end: End) -> TaskResult:
    report = AttemptReport(
        outcome=_OUTCOMES[end.outcome],
        started_ms=end.started_ms,
        ended_ms=end.ended_ms,
        exit_code=end.exit_code,
        signal=end.signal,
        peak_memory_bytes=end.peak_memory_bytes,
        cpu_us=end.cpu_us,
        log_bytes=end.log_bytes,
        log_lines=end.log_lines,
        retry_after_ms=end.retry_after_ms,
        isolation=end.isolation,
        left_behind=end.left_behind,
    )
    if end.outcome is Outcome.SUCCEEDED:
        value = AnyValue(json_value=end.result_json)
        return TaskResult(task_id=task_id, attempt=attempt, success=SuccessResult(result=value), report=report)
    error = ErrorResult(
        type=end.error_type, message=end.error_message, data=end.error_data or "{}", retriable=end.retriable
    )
    return TaskResult(task_id=task_id, attempt=attempt, error=error, report=report)


def offer(name: str, retry_policy_json: str | None) -> TaskOffer:
    """A task that this shepherd can run, with the retry policy of its definition (Azolla's JSON form) if it has one."""
    if retry_policy_json is None:
        return TaskOffer(name=name)
    return TaskOffer(name=name, retry_policy=_retry_policy(retry_policy_json))


def _retry_policy(text: str) -> RetryPolicy:
    given = json.loads(text)
    message = RetryPolicy(version=given.get("version", 1))
    stop = given.get("stop")
    if stop is not None:
        message.stop.SetInParent()
        if stop.get("max_attempts") is not None:
            message.stop.max_attempts = stop["max_attempts"]
        if stop.get("max_delay") is not None:
            message.stop.max_delay = stop["max_delay"]
    wait = given.get("wait")
    if wait is not None:
        strategy = wait.get("strategy", "exponential_jitter")
        if strategy == "fixed":
            message.wait.fixed.delay = wait.get("delay", 1.0)
        else:
            kind = message.wait.exponential if strategy == "exponential" else message.wait.exponential_jitter
            kind.initial_delay = wait.get("initial_delay", 1.0)
            kind.multiplier = wait.get("multiplier", 2.0)
            kind.max_delay = wait.get("max_delay", 300.0)
    retry = given.get("retry")
    if retry is not None:
        message.retry.SetInParent()
        message.retry.include_errors.extend(retry.get("include_errors", ()))
        message.retry.exclude_errors.extend(retry.get("exclude_errors", ()))
    return message


def _too_large(end: End) -> End:
    size = len(end.result_json)
    return End(
        outcome=Outcome.FAILED,
        error_type="ResultTooLarge",
        error_message=f"the result has {size} bytes; {LARGEST_RESULT_BYTES} is the most. Write it to a file or a store, "
        "and return where it is",
        started_ms=end.started_ms,
        ended_ms=end.ended_ms,
        exit_code=end.exit_code,
        peak_memory_bytes=end.peak_memory_bytes,
        cpu_us=end.cpu_us,
        log_bytes=end.log_bytes,
        log_lines=end.log_lines,
        isolation=end.isolation,
        left_behind=end.left_behind,
    )


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
