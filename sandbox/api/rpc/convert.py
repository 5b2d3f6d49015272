"""Wire messages to our words and back. The only place where names of the wire that differ are translated."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

import orjson

from sandbox.dispatch.connection import ShepherdInfo
from sandbox.errors import InvalidInput
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import DEFAULT_QUEUE, EndedTask, NewTask, Task
from sandbox.scheduler.commands import AttemptResult
from shepherd.wire import messages as wire

_INT64_MIN, _INT64_MAX, _UINT64_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1

_WHOLE = re.compile(r"\s*-?[0-9]+\s*")
"""A whole number, which orjson reads as a float from 2^64 on; as text it stays exact."""

_OUTCOMES = {int(outcome): outcome for outcome in AttemptOutcome}
"""A number that isn't here is one of a later version: then success or error decides."""


def new_task(request: wire.CreateTaskRequest) -> NewTask:
    """A creation as a client asks for it. InvalidInput for a retry policy that can't be."""
    return NewTask(
        name=request.name,
        domain=request.domain,
        queue=request.shepherd_group or DEFAULT_QUEUE,
        args=request.args,
        kwargs=request.kwargs,
        retry_policy=retry_policy(request.retry_policy) if request.HasField("retry_policy") else None,
        priority=request.priority,
        timeout_ms=request.timeout_ms,
        not_before_ms=request.not_before_ms,
        idempotency_key=request.idempotency_key if request.HasField("idempotency_key") else None,
        labels=dict(request.labels) if request.labels else {},
        flow_id=_flow_id(request) if request.HasField("flow_instance_id") else None,
    )


def _flow_id(request: wire.CreateTaskRequest) -> str:
    try:
        return str(uuid.UUID(request.flow_instance_id))
    except ValueError:
        raise InvalidInput("The flow id is no UUID", subject=request.flow_instance_id) from None


def retry_policy(message: wire.RetryPolicy) -> RetryPolicy:
    """A policy with Azolla's defaults for what is absent. InvalidInput names the wrong field."""
    if message.version != 1:
        raise InvalidInput(
            "The retry policy has an unknown version", subject=str(message.version), hint="send version 1"
        )
    found: dict[str, Any] = {}
    if message.HasField("stop"):
        stop = message.stop
        found["max_attempts"] = stop.max_attempts if stop.HasField("max_attempts") else None
        found["max_elapsed"] = stop.max_delay if stop.HasField("max_delay") else None
    kind = message.wait.WhichOneof("kind")
    if kind == "fixed":
        found |= {"strategy": WaitStrategy.FIXED, "delay": message.wait.fixed.delay}
    elif kind is not None:
        grows = message.wait.exponential if kind == "exponential" else message.wait.exponential_jitter
        found |= {
            "strategy": WaitStrategy(kind),
            "initial_delay": grows.initial_delay,
            "multiplier": grows.multiplier,
            "max_delay": grows.max_delay,
        }
    if message.HasField("retry"):
        found["include_errors"] = tuple(message.retry.include_errors)
        found["exclude_errors"] = tuple(message.retry.exclude_errors)
    try:
        return RetryPolicy(**found).checked()
    except ValueError as error:
        raise InvalidInput("The retry policy can't be", why=str(error)) from None


def task_id(text: str) -> str:
    """An id in any spelling of a UUID. InvalidInput if it is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput("The task id is no UUID", subject=text[:80]) from None


# ── values ───────────────────────────────────────────────────────────────────────────────────────────


def any_value(text: str) -> wire.AnyValue:
    """A result (JSON text) as clients of Azolla expect it: scalars typed, the rest as JSON text."""
    value = orjson.loads(text)
    if isinstance(value, bool):
        return wire.AnyValue(bool_value=value)
    if isinstance(value, str):
        return wire.AnyValue(string_value=value)
    if isinstance(value, int):
        if _INT64_MIN <= value <= _INT64_MAX:
            return wire.AnyValue(int_value=value)
        if 0 <= value <= _UINT64_MAX:
            return wire.AnyValue(uint_value=value)
    if isinstance(value, float) and not _WHOLE.fullmatch(text):
        return wire.AnyValue(double_value=value)
    return wire.AnyValue(json_value=text)


def json_text(value: wire.AnyValue) -> str:
    """A worker's result as JSON text. Text that should be JSON and isn't becomes a JSON string."""
    match value.WhichOneof("value"):
        case "json_value":
            try:
                orjson.loads(value.json_value)
            except orjson.JSONDecodeError:
                return orjson.dumps(value.json_value).decode()
            return value.json_value
        case "string_value":
            return orjson.dumps(value.string_value).decode()
        case "int_value":
            return str(value.int_value)
        case "uint_value":
            return str(value.uint_value)
        case "double_value":
            return orjson.dumps(value.double_value).decode()
        case "bool_value":
            return "true" if value.bool_value else "false"
        case _:
            return "null"


def wait_answer(ended: EndedTask) -> wire.WaitForTaskResponse:
    """A task that is over, as WaitForTask says it."""
    answer = wire.WaitForTaskResponse(status_code=wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_COMPLETED)
    if ended.status is TaskStatus.SUCCEEDED:
        answer.success.result.CopyFrom(any_value(ended.result or "null"))
    else:
        answer.error.type = ended.error_type
        answer.error.message = ended.error_message
        answer.error.data = ended.error_data or "{}"
        answer.error.retriable = ended.retriable
    return answer


# ── shepherds ────────────────────────────────────────────────────────────────────────────────────────


def shepherd_info(hello: wire.Hello) -> ShepherdInfo:
    """What a shepherd says of itself. InvalidInput if its id is no UUID."""
    try:
        shepherd_id = str(uuid.UUID(hello.shepherd_uuid))
    except ValueError:
        raise InvalidInput("The shepherd's id is no UUID", subject=hello.shepherd_uuid[:80]) from None
    ours = hello.protocol_version > 0
    return ShepherdInfo(
        shepherd_id=shepherd_id,
        queue=hello.shepherd_group or DEFAULT_QUEUE,
        domain=hello.domain,
        all_domains=hello.all_domains,
        max_concurrency=hello.max_concurrency,
        window=max(hello.window, hello.max_concurrency, 1) if ours else max(hello.max_concurrency, 1),
        speaks_extensions=ours,
        epoch=hello.epoch,
        standing=[(key.task_id, key.attempt) for key in hello.standing],
        labels=dict(hello.labels),
        host=hello.host,
        pid=hello.pid,
        version=hello.version,
    )


def offers(messages: Iterable[wire.TaskOffer]) -> dict[str, RetryPolicy | None]:
    """Task names with the retry policies of their definitions. InvalidInput for a policy that can't be."""
    return {
        offer.name: retry_policy(offer.retry_policy) if offer.HasField("retry_policy") else None for offer in messages
    }


def assignment(task: Task) -> wire.Task:
    """The live attempt of a task, as its shepherd gets it."""
    return wire.Task(
        task_id=task.task_id,
        name=task.name,
        args=task.args,
        kwargs=task.kwargs,
        attempt=task.attempt,
        domain=task.domain,
        queue=task.queue,
        timeout_ms=task.timeout_ms,
        created_ms=task.created_ms,
        labels=task.labels,
    )


def attempt_result(message: wire.TaskResult, attempt: int) -> AttemptResult:
    """How an attempt ended. `attempt`: which one it counts for where the message doesn't say."""
    succeeded = message.WhichOneof("result_type") == "success"
    result = json_text(message.success.result) if succeeded else None
    if not message.HasField("report"):
        error = message.error
        return AttemptResult(
            task_id=message.task_id,
            attempt=message.attempt or attempt,
            outcome=AttemptOutcome.SUCCEEDED if succeeded else AttemptOutcome.FAILED,
            result=result,
            error_type=error.type,
            error_message=error.message,
            error_data=_json_or_string(error.data),
        )
    report, error = message.report, message.error
    return AttemptResult(
        task_id=message.task_id,
        attempt=message.attempt or attempt,
        outcome=_OUTCOMES.get(report.outcome, AttemptOutcome.SUCCEEDED if succeeded else AttemptOutcome.FAILED),
        result=result,
        error_type="" if succeeded else error.type,
        error_message="" if succeeded else error.message,
        error_data="" if succeeded else _json_or_string(error.data),
        retriable=succeeded or error.retriable,
        retry_after_ms=report.retry_after_ms if report.HasField("retry_after_ms") else None,
        started_ms=report.started_ms,
        exit_code=report.exit_code if report.HasField("exit_code") else None,
        signal=report.signal if report.HasField("signal") else None,
        peak_memory_bytes=report.peak_memory_bytes,
        cpu_us=report.cpu_us,
        log_bytes=report.log_bytes,
        log_lines=report.log_lines,
        isolation=report.isolation,
        left_behind=report.left_behind,
    )


def _json_or_string(text: str) -> str:
    if not text or text == "{}":
        return ""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return orjson.dumps(text).decode()
    return text
