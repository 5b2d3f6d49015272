"""Rows as they come from the file, as the records of the contract."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from sandbox.store.contract import EventRecord, LogRecord, ShepherdRecord, TaskRecord
from sandbox.store.sqlite.rows import NO_ERROR_DATA

STATUSES = {int(status): status for status in TaskStatus}

TASK_COLUMNS = (
    *("task_id", "domain", "queue", "name", "status", "priority", "attempt", "uncounted", "lost", "created_ms"),
    *("due_ms", "started_ms", "ended_ms", "shepherd_id", "args", "kwargs", "retry_policy", "timeout_ms", "labels"),
    *("idempotency_key", "flow_id", "cancel_requested", "result", "error_type", "error_message", "error_data"),
    "retriable",
)
ENDED_COLUMNS = (
    *("task_id", "domain", "status", "attempt", "ended_ms", "result", "error_type", "error_message", "error_data"),
    "retriable",
)
EVENT_COLUMNS = ("seq", "time_ms", "type", "domain", "task_id", "attempt", "shepherd_id", "metadata")
LOG_COLUMNS = ("task_id", "attempt", "sink", "locator")
SHEPHERD_COLUMNS = (
    *("shepherd_id", "epoch", "queue", "host", "version", "first_seen_ms", "last_seen_ms", "connected"),
)

_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("shepherd_id", "domain", "task_id", "queue", "host", "version"), ""),
    **dict.fromkeys(("error_type", "error_message", "error_data"), ""),
    **dict.fromkeys(("ended_ms", "epoch"), 0),
    "retriable": False,
}
"""What NULL stands for, where the records have no None."""


def _named(columns: tuple[str, ...], row: list[Any]) -> dict[str, Any]:
    return {column: _EMPTY.get(column) if value is None else value for column, value in zip(columns, row, strict=True)}


def task_record(row: list[Any]) -> TaskRecord:
    """From the values of `TASK_COLUMNS`."""
    values = _named(TASK_COLUMNS, row)
    values["status"] = STATUSES[values["status"]]
    values["labels"] = {} if values["labels"] is None else orjson.loads(values["labels"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    values["retriable"] = bool(values["retriable"])
    return TaskRecord(**values)


def ended_task(row: list[Any]) -> EndedTask:
    """From the values of `ENDED_COLUMNS`."""
    values = _named(ENDED_COLUMNS, row)
    values["status"] = STATUSES[values["status"]]
    values["retriable"] = bool(values["retriable"])
    values["error_data"] = values["error_data"] or NO_ERROR_DATA
    return EndedTask(**values)


def event_record(row: list[Any]) -> EventRecord:
    """From the values of `EVENT_COLUMNS`."""
    values = _named(EVENT_COLUMNS, row)
    values["metadata"] = {} if values["metadata"] is None else orjson.loads(values["metadata"])
    return EventRecord(**values)


def log_record(row: list[Any]) -> LogRecord:
    """From the values of `LOG_COLUMNS`."""
    return LogRecord(**_named(LOG_COLUMNS, row))


def shepherd_record(row: list[Any]) -> ShepherdRecord:
    """From the values of `SHEPHERD_COLUMNS`."""
    values = _named(SHEPHERD_COLUMNS, row)
    values["connected"] = bool(values["connected"])
    return ShepherdRecord(**values)
