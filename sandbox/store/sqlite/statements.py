"""The statements by which a commit is written, and how a commit becomes one of them.

The `sqlite3` module lets go of Python's lock around each step of a statement and has to win it back from a busy
event loop, which may take a switch interval each time. So a commit is one step, whatever it has in it: an INSERT
into the view `inbox` with the rows of each kind as JSON, which a trigger puts where they belong. One statement
is a transaction of its own. View and trigger are temporary: they are no part of the file.

A commit of a few rows happens when the loop is idle, and then the lock costs nothing, while taking JSON apart
costs as much as the disk does: such a commit is made of plain statements.
"""

# ruff: noqa: S608 - the names put into statements are our own; values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sandbox.store.sqlite.rows import (
    CHANGED_COLUMNS,
    CREATED_COLUMNS,
    ENDED_COLUMNS,
    EVENT_COLUMNS,
    KEY_COLUMNS,
    LOG_COLUMNS,
    SHEPHERD_COLUMNS,
    FewRows,
    Parcel,
)

UNKEEPABLE = (sqlite3.Error, OverflowError)
"""What binding and executing raise: SQLite's own errors, and numbers beyond 64 bits."""

STATEMENT_BYTES = 128 * 1024 * 1024
"""What one statement carries at most; a commit with more has several, in a transaction."""

_INSERT = "INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?)"


def prepare(connection: sqlite3.Connection) -> None:
    """Make the inbox for this connection."""
    columns = ", ".join(f"NULL AS {kind}" for kind in Parcel._fields)
    connection.execute(f"CREATE TEMP VIEW inbox AS SELECT {columns}")
    body = ";\n".join(_BODY)
    connection.execute(f"CREATE TEMP TRIGGER inbox_filled INSTEAD OF INSERT ON inbox BEGIN\n{body};\nEND")


def commit(connection: sqlite3.Connection, parcels: Sequence[Parcel]) -> None:
    """Write all parcels, in order, durably, or nothing of them. sqlite3.Error if nothing was."""
    loads = [_joined(some) for some in _by_size(parcels)]
    if len(loads) == 1:
        connection.execute(_INSERT, loads[0])
    if len(loads) < 2:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for load in loads:
            connection.execute(_INSERT, load)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def commit_few(connection: sqlite3.Connection, rows: FewRows) -> None:
    """The same for a very small group."""
    execute = connection.execute
    execute("BEGIN IMMEDIATE")
    try:
        for row in rows.event_rows():
            execute(_INSERT_EVENT, row)
        for row in rows.created:
            execute(_INSERT_TASK, row)
        for row in rows.changed:
            execute(_UPDATE_CHANGED, (*row[1:], row[0]))
        for row in rows.ended:
            execute(_UPDATE_ENDED, (*row[1:], row[0]))
        execute("COMMIT")
    except UNKEEPABLE:
        if connection.in_transaction:
            execute("ROLLBACK")
        raise


def _insert_one(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _update_one(columns: Sequence[str], special: dict[str, str]) -> str:
    assignments = ", ".join(f"{column} = {special.get(column, '?')}" for column in columns[1:])
    return f"UPDATE tasks SET {assignments} WHERE task_id = ?"


def _by_size(parcels: Sequence[Parcel]) -> list[list[Parcel]]:
    together: list[list[Parcel]] = []
    room = 0
    for parcel in parcels:
        size = sum(map(len, parcel))
        if size > room or not together:
            together.append([])
            room = STATEMENT_BYTES
        together[-1].append(parcel)
        room -= size
    return together


def _joined(parcels: Sequence[Parcel]) -> list[str | None]:
    if len(parcels) == 1:
        return [f"[{body.decode()}]" if body else None for body in parcels[0]]
    joined: list[str | None] = []
    for bodies in zip(*parcels, strict=True):
        filled = [body for body in bodies if body]
        joined.append(f"[{b','.join(filled).decode()}]" if filled else None)
    return joined


def _values(columns: Sequence[str]) -> str:
    return ", ".join(f"json_extract(row, '$[{place}]') AS {column}" for place, column in enumerate(columns))


def _rows(kind: str) -> str:
    # The join and the LIMIT make SQLite write down each row once; else it renders it anew for every column, which
    # takes four times as long (sqlite.org/optoverview.html, sections 11 and 12).
    return f"(SELECT 1) CROSS JOIN (SELECT value AS row FROM json_each(new.{kind}) LIMIT -1)"


def _insert(table: str, columns: Sequence[str], kind: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {_values(columns)} FROM {_rows(kind)}"


def _update(columns: Sequence[str], kind: str, special: dict[str, str]) -> str:
    assignments = ", ".join(f"{column} = {special.get(column, f'given.{column}')}" for column in columns[1:])
    # This LIMIT keeps the rows a table of their own, gone through from outside; else all tasks would be.
    return f"""UPDATE tasks SET {assignments}
FROM (SELECT {_values(columns)} FROM {_rows(kind)} LIMIT -1) AS given
WHERE tasks.task_id = given.task_id"""


def _shepherds() -> str:
    return f"""INSERT INTO shepherds ({", ".join(SHEPHERD_COLUMNS)}, first_seen_ms)
SELECT {_values(SHEPHERD_COLUMNS)}, json_extract(row, '$[5]') FROM {_rows("shepherds")} WHERE true
ON CONFLICT DO UPDATE SET epoch = coalesce(excluded.epoch, epoch), queue = coalesce(excluded.queue, queue),
  host = coalesce(excluded.host, host), version = coalesce(excluded.version, version),
  last_seen_ms = excluded.last_seen_ms, connected = excluded.connected"""


_INSERT_EVENT = _insert_one("events", EVENT_COLUMNS)
_INSERT_TASK = _insert_one("tasks", CREATED_COLUMNS)
_UPDATE_CHANGED = _update_one(CHANGED_COLUMNS, {})
_UPDATE_ENDED = _update_one(ENDED_COLUMNS, {"started_ms": "coalesce(?, started_ms)"})

_BODY = (
    _insert("events", EVENT_COLUMNS, "events"),
    _insert("tasks", CREATED_COLUMNS, "created"),
    _insert("idempotency", KEY_COLUMNS, "keys"),
    _update(CHANGED_COLUMNS, "changed", {}),
    _update(ENDED_COLUMNS, "ended", {"started_ms": "coalesce(given.started_ms, tasks.started_ms)"}),
    _insert("logs", LOG_COLUMNS, "logs") + " WHERE true ON CONFLICT DO UPDATE SET locator = excluded.locator",
    _shepherds(),
)
