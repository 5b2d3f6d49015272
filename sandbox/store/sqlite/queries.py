"""The reading statements. Each answers with one value: a JSON array of rows, made by SQLite.

One row is one step for the `sqlite3` module, and each step may wait for a busy event loop (see `statements`);
so a hundred rows as one value come a hundred times sooner than one by one.
"""

# ruff: noqa: S608 - the names put into statements are our own; values are bound

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.errors import BadFilter
from sandbox.model.status import TaskStatus
from sandbox.store.contract import TaskFilter
from sandbox.store.sqlite.answers import (
    ENDED_COLUMNS,
    EVENT_COLUMNS,
    LOG_COLUMNS,
    SHEPHERD_COLUMNS,
    TASK_COLUMNS,
)

_CURSOR_MARK = "tasks:"


class Query(NamedTuple):
    """A statement and its parameters."""

    statement: str
    parameters: Sequence[object] = ()


def _packed(columns: Sequence[str], rest: str) -> str:
    names = ", ".join(columns)
    return f"SELECT json_group_array(json_array({names})) FROM (SELECT {names} FROM {rest})"


TASK = _packed(TASK_COLUMNS, "tasks WHERE task_id = ?")
ENDED = _packed(ENDED_COLUMNS, f"tasks WHERE task_id = ? AND status >= {int(TaskStatus.SUCCEEDED)}")
EVENTS_OF_TASK = _packed(EVENT_COLUMNS, "events WHERE task_id = ? ORDER BY seq")
EVENTS_AFTER = _packed(EVENT_COLUMNS, "events WHERE seq > ? ORDER BY seq LIMIT ?")
EVENTS_AFTER_IN_DOMAIN = _packed(EVENT_COLUMNS, "events WHERE seq > ? AND domain = ? ORDER BY seq LIMIT ?")
LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM events"
LOGS = _packed(LOG_COLUMNS, "logs WHERE task_id = ? ORDER BY attempt, sink")
SHEPHERDS = _packed(SHEPHERD_COLUMNS, "shepherds ORDER BY shepherd_id")
IDS = _packed(("task_id",), "tasks WHERE task_id >= ? AND task_id < ? ORDER BY task_id LIMIT ?")

AFTER_EVERY_ID = "~"
"""Greater than every character of an id."""

_COUNTS = """
SELECT json_group_array(json_array(status, many)) FROM (
  SELECT status, count(*) AS many FROM tasks INDEXED BY tasks_unfinished WHERE status <= 5 {in_domain} GROUP BY status
  UNION ALL
  SELECT status, count(*) AS many FROM tasks INDEXED BY tasks_ended WHERE status >= 6 {and_status} GROUP BY status
)
"""
COUNTS = _COUNTS.format(in_domain="", and_status="")
_EVERY_END = ", ".join(str(int(status)) for status in TaskStatus if status.ended)
COUNTS_IN_DOMAIN = _COUNTS.format(in_domain="AND domain = ?", and_status=f"AND status IN ({_EVERY_END}) AND domain = ?")


def tasks(which: TaskFilter, after: str | None, limit: int) -> Query:
    """Newest first; one row more than `limit` if there are more. BadFilter for a cursor that is none."""
    conditions: list[str] = []
    parameters: list[object] = []

    def demand(condition: str, *values: object) -> None:
        conditions.append(condition)
        parameters.extend(values)

    if after is not None:
        demand("number < ?", _read_cursor(after))
    if which.domain is not None:
        demand("domain = ?", which.domain)
    if which.queue is not None:
        demand("queue = ?", which.queue)
    if which.name is not None:
        demand("name GLOB ?", which.name)
    for key, value in which.labels.items():
        demand("EXISTS (SELECT 1 FROM json_each(tasks.labels) WHERE key = ? AND value = ?)", key, value)
    if which.created_from_ms is not None:
        demand("created_ms >= ?", which.created_from_ms)
    if which.created_before_ms is not None:
        demand("created_ms < ?", which.created_before_ms)
    statuses = sorted({int(status) for status in which.statuses})
    if statuses:
        demand(f"status IN ({', '.join(map(str, statuses))})")
    index, reason = _index(statuses, which.domain)
    if reason:
        conditions.append(reason)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = _packed(("number", *TASK_COLUMNS), f"tasks {index}{where} ORDER BY number DESC LIMIT ?")
    return Query(statement, (*parameters, limit + 1))


def _index(statuses: list[int], domain: str | None) -> tuple[str, str]:
    """Which index to go through, and the condition that SQLite needs to see for it.

    Said outright, because SQLite knows nothing of how many tasks stand where. Of the ended tasks nearly all have
    succeeded: for these the newest of all are soon found, the others are best looked up.
    """
    if statuses and statuses[-1] < TaskStatus.SUCCEEDED:
        return "INDEXED BY tasks_unfinished", "status <= 5"
    if statuses and statuses[0] > TaskStatus.SUCCEEDED:
        return "INDEXED BY tasks_ended", "status >= 6"
    return ("INDEXED BY tasks_domain", "") if domain is not None else ("NOT INDEXED", "")


def cursor(number: int) -> str:
    """Of the page that begins after the task with that number."""
    return base64.urlsafe_b64encode(f"{_CURSOR_MARK}{number}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        mark, _, number = base64.urlsafe_b64decode(padded).decode("ascii").partition(":")
        if f"{mark}:" == _CURSOR_MARK and number.isdecimal() and len(number) < 19:
            return int(number)
    except (ValueError, binascii.Error):
        pass  # told below, like a text that can be decoded and says nothing
    raise BadFilter(
        "this is no cursor of a page of tasks",
        subject=text,
        why="cursors are the next_cursor of a page before, unchanged",
        hint="leave the cursor out to begin with the newest task",
    )
