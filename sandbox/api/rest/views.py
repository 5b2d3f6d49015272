"""What is kept, in the form of the HTTP API. Times are Unix milliseconds, null where there is none yet.

Input and results are put in as the JSON text that they are, so that every number comes out as it went in.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from fastapi.responses import Response

from sandbox.api.rest.attempts import attempts_of
from sandbox.model.event import EventType
from sandbox.model.task import EndedTask
from sandbox.store.contract import EventRecord, TaskRecord

OPTIONS = orjson.OPT_NON_STR_KEYS


def dump(value: Any) -> bytes:
    """JSON bytes of a view."""
    return orjson.dumps(value, default=_other, option=OPTIONS)


def dump_line(value: Any) -> bytes:
    """A view as a line of NDJSON."""
    return orjson.dumps(value, default=_other, option=OPTIONS | orjson.OPT_APPEND_NEWLINE)


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A view as an answer."""
    return Response(dump(value), status_code=status, media_type="application/json", headers=headers)


def json_text(text: str) -> Any:
    """JSON text to be put into a view as it is; text that isn't JSON becomes a string."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return orjson.Fragment(text)


def task_row(record: TaskRecord) -> dict[str, Any]:
    """A task in a list: without its input and result, which may be large."""
    return {
        "task_id": record.task_id,
        "name": record.name,
        "status": record.status.word,
        "domain": record.domain,
        "queue": record.queue,
        "priority": record.priority,
        "attempt": record.attempt,
        "created_ms": record.created_ms,
        "due_ms": record.due_ms or None,
        "started_ms": record.started_ms or None,
        "ended_ms": record.ended_ms or None,
        "shepherd_id": record.shepherd_id or None,
        "labels": dict(record.labels),
        "error": _error(record),
    }


def task_page(record: TaskRecord, events: Sequence[EventRecord], progress: Any = None) -> dict[str, Any]:
    """All there is to say of a task. `progress`: what it last said of itself, if it runs."""
    view = task_row(record)
    view |= {
        "args": json_text(record.args),
        "kwargs": json_text(record.kwargs),
        "timeout_ms": record.timeout_ms or None,
        "retry_policy": json_text(record.retry_policy) if record.retry_policy else None,
        "idempotency_key": record.idempotency_key,
        "flow_id": record.flow_id,
        "cancel_requested": record.cancel_requested,
        "result": json_text(record.result) if record.result is not None else None,
        "attempts": attempts_of(events),
        "progress": {"note": progress.note, "time_ms": progress.time_ms} if progress is not None else None,
    }
    return view


def ended_task(ended: EndedTask) -> dict[str, Any]:
    """A task that is over, as who waits for it gets it."""
    return {
        "task_id": ended.task_id,
        "domain": ended.domain,
        "status": ended.status.word,
        "attempt": ended.attempt,
        "ended_ms": ended.ended_ms,
        "result": json_text(ended.result) if ended.result is not None else None,
        "error": _error(ended),
    }


def event(record: EventRecord) -> dict[str, Any]:
    """A fact of the history."""
    return {
        "seq": record.seq,
        "time_ms": record.time_ms,
        "type": event_word(record.type),
        "domain": record.domain,
        "task_id": record.task_id or None,
        "attempt": record.attempt or None,
        "shepherd_id": record.shepherd_id or None,
        "metadata": record.metadata,
    }


def event_word(number: int) -> str:
    """The word for the kind of an event; its number where a later version wrote it."""
    try:
        return EventType(number).word
    except ValueError:
        return str(number)


def bytes_field(data: bytes) -> dict[str, str]:
    """Bytes in JSON: `text` where they are UTF-8, else `base64`."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _error(record: TaskRecord | EndedTask) -> dict[str, Any] | None:
    if not record.error_type:
        return None
    return {
        "type": record.error_type,
        "message": record.error_message,
        "data": json_text(record.error_data) if record.error_data else None,
        "retriable": record.retriable,
    }


def _other(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if isinstance(value, set | frozenset):
        return sorted(cast("set[str]", value))
    return str(value)
