"""What the API tells, as values. `raw` is the JSON object it came from. Times are Unix milliseconds."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.model import exact_json
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of a task; what isn't known (yet) is None."""

    attempt: int
    shepherd_id: str | None
    assigned_ms: int | None
    started_ms: int | None
    ended_ms: int | None
    outcome: str | None
    error_type: str | None
    error_message: str | None
    exit_code: int | None
    signal: int | None
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """A task. In lists it comes without `args`, `kwargs`, `result` and `attempts`."""

    task_id: str
    name: str
    status: TaskStatus
    domain: str
    queue: str
    priority: int
    attempt: int
    created_ms: int
    due_ms: int | None
    started_ms: int | None
    ended_ms: int | None
    shepherd_id: str | None
    labels: Mapping[str, str]
    error_type: str
    error_message: str
    args: Any
    kwargs: Any
    result: Any
    attempts: tuple[Attempt, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Tasks, newest first. `next_cursor` is None on the last page."""

    tasks: list[TaskInfo]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInfo:
    """A fact of the history; `type` is its word, such as `attempt-ended`."""

    seq: int
    time_ms: int
    type: str
    domain: str
    task_id: str | None
    attempt: int | None
    shepherd_id: str | None
    metadata: Mapping[str, Any]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A line that a task has written, with its line end. `stream`: `stdout`, `stderr`, or `gap` for a note."""

    attempt: int
    stream: str
    time: datetime
    offset: int
    """Of the first byte in the attempt's log."""
    data: bytes
    partial: bool
    """The line goes on in the next entry."""
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a task stands where it stands."""

    task_id: str
    status: TaskStatus
    sentence: str
    hints: list[str]
    detail: Mapping[str, Any]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTable:
    """The answer to a statement; `truncated`: there were more rows than asked for."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


def task(found: Mapping[str, Any]) -> TaskInfo:
    """A task from its JSON object."""
    error: dict[str, Any] = found.get("error") or {}
    return TaskInfo(
        task_id=found["task_id"],
        name=found["name"],
        status=TaskStatus.from_word(found["status"]),
        domain=found["domain"],
        queue=found["queue"],
        priority=found["priority"],
        attempt=found["attempt"],
        created_ms=found["created_ms"],
        due_ms=found["due_ms"],
        started_ms=found["started_ms"],
        ended_ms=found["ended_ms"],
        shepherd_id=found["shepherd_id"],
        labels=found["labels"],
        error_type=error.get("type", ""),
        error_message=error.get("message", ""),
        args=found.get("args"),
        kwargs=found.get("kwargs"),
        result=found.get("result"),
        attempts=tuple(attempt(one) for one in found.get("attempts", ())),
        raw=found,
    )


def attempt(found: Mapping[str, Any]) -> Attempt:
    """An attempt from its JSON object."""
    get = found.get
    return Attempt(
        attempt=found["attempt"],
        shepherd_id=get("shepherd_id"),
        assigned_ms=get("assigned_ms"),
        started_ms=get("started_ms"),
        ended_ms=get("ended_ms"),
        outcome=get("outcome"),
        error_type=get("error_type"),
        error_message=get("error_message"),
        exit_code=get("exit_code"),
        signal=get("signal"),
        raw=found,
    )


def ended(found: Mapping[str, Any]) -> EndedTask:
    """An ended task from its JSON object."""
    error: dict[str, Any] = found.get("error") or {}
    status = TaskStatus.from_word(found["status"])
    data = error.get("data")
    return EndedTask(
        task_id=found["task_id"],
        domain=found["domain"],
        status=status,
        attempt=found["attempt"],
        ended_ms=found["ended_ms"],
        result=exact_json.dumps(found["result"]) if status is TaskStatus.SUCCEEDED else None,
        error_type=error.get("type", ""),
        error_message=error.get("message", ""),
        error_data="{}" if data is None else exact_json.dumps(data),
        retriable=error.get("retriable", False),
    )


def event(found: Mapping[str, Any]) -> EventInfo:
    """An event from its JSON object."""
    return EventInfo(**{name: found[name] for name in _EVENT_FIELDS}, raw=found)


_EVENT_FIELDS = ("seq", "time_ms", "type", "domain", "task_id", "attempt", "shepherd_id", "metadata")


def log_entry(found: Mapping[str, Any]) -> LogEntry:
    """A line of a log from its JSON object."""
    text = found.get("text")
    return LogEntry(
        attempt=found["attempt"],
        stream=found["stream"],
        time=datetime.fromisoformat(found["time"]),
        offset=found["offset"],
        data=text.encode() if text is not None else base64.b64decode(found.get("base64", "")),
        partial=found.get("partial", False),
        raw=found,
    )


def why(found: Mapping[str, Any]) -> Why:
    """A reason from its JSON object."""
    return Why(
        task_id=found["task_id"],
        status=TaskStatus.from_word(found["status"]),
        sentence=found["sentence"],
        hints=found["hints"],
        detail=found["detail"],
        raw=found,
    )
