"""The tables, and how a file of an earlier version becomes one of this.

::

    tasks ──< events          what happened, in the order of commits; the truth
      │  └──< logs            where a sink keeps the log of an attempt
      └───── idempotency      which task a client's key stands for
    domains                   name and number; the number is part of task ids
    shepherds                 who ever said hello
    task_statuses, event_types, attempt_outcomes        numbers and their words
    tasks_view, events_view, attempts_view              the same with words and ISO times, for people

Every migration is a function of the set `azolla-local`, run once in a transaction of its own; it sets
`PRAGMA user_version` to its number. Released migrations are never changed: add a new one at the end.
`PRAGMA application_id` marks the file as ours.
"""

# ruff: noqa: S608 - the names put into statements are our own; values are bound

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sandbox.model.event import EventType
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.store.sqlite.views import VIEWS

if TYPE_CHECKING:
    from sqlite_utils.db import Database

APPLICATION_ID = 0x417A6F4C
"""`AzoL` in ASCII; `file azolla.db` shows it."""

SCHEMA_VERSION = 1
"""Number of the last migration below."""

_WORDS = (
    ("task_statuses", "status", [(int(status), status.word) for status in TaskStatus]),
    ("event_types", "type", [(int(kind), kind.word) for kind in EventType]),
    ("attempt_outcomes", "outcome", [(int(outcome), outcome.word) for outcome in AttemptOutcome]),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an empty file, or one of an earlier version, to this version."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version >= SCHEMA_VERSION:
        return
    # Only a file that needs it pays for loading the library, which takes longer than opening a file.
    from sqlite_utils.db import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("azolla-local")
    migrations(name="0001_ground")(_ground)
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))


def fill_words(connection: sqlite3.Connection) -> None:
    """Write the words of the enums, and the views. At every open: it also proves that the file can be written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for table, number, rows in _WORDS:
            connection.executemany(f"INSERT OR REPLACE INTO {table} ({number}, word) VALUES (?, ?)", rows)
        known = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'").fetchall())
        for name, statement in VIEWS.items():
            if known.get(name) != statement:
                connection.execute(f"DROP VIEW IF EXISTS {name}")
                connection.execute(statement)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _ground(db: Database) -> None:
    """0001: everything the first release has."""
    db.table("tasks").create(
        {
            "number": int,
            "task_id": str,
            "domain": str,
            "queue": str,
            "name": str,
            "status": int,
            "priority": int,
            "attempt": int,
            "uncounted": int,
            "lost": int,
            "created_ms": int,
            "due_ms": int,
            "started_ms": int,
            "ended_ms": int,
            "shepherd_id": str,
            "args": str,
            "kwargs": str,
            "retry_policy": str,
            "timeout_ms": int,
            "labels": str,
            "idempotency_key": str,
            "flow_id": str,
            "cancel_requested": int,
            "result": str,
            "error_type": str,
            "error_message": str,
            "error_data": str,
            "retriable": int,
        },
        pk="number",
        not_null={"task_id", "domain", "queue", "name", "status", "created_ms", "args", "kwargs"},
        strict=True,
    )
    db.table("events").create(
        {
            "seq": int,
            "time_ms": int,
            "type": int,
            "domain": str,
            "task_id": str,
            "attempt": int,
            "shepherd_id": str,
            "metadata": str,
        },
        pk="seq",
        not_null={"time_ms", "type"},
        strict=True,
    )
    db.table("domains").create({"number": int, "name": str}, pk="number", not_null={"name"}, strict=True)
    db.table("domains").create_index(["name"], unique=True, index_name="domains_name")
    db.table("shepherds").create(
        {
            "shepherd_id": str,
            "epoch": int,
            "queue": str,
            "host": str,
            "version": str,
            "first_seen_ms": int,
            "last_seen_ms": int,
            "connected": int,
        },
        pk="shepherd_id",
        strict=True,
    )
    for table, number, _ in _WORDS:
        db.table(table).create({number: int, "word": str}, pk=number, not_null={"word"}, strict=True)
    # The library has no words for partial indexes and tables without a row number.
    for statement in (
        "CREATE UNIQUE INDEX tasks_task_id ON tasks (task_id)",
        "CREATE INDEX tasks_domain ON tasks (domain)",
        # What a restart reads, in order of creation; small however many tasks have ended.
        "CREATE INDEX tasks_unfinished ON tasks (number) WHERE status <= 5",
        "CREATE INDEX tasks_ended ON tasks (status, domain) WHERE status >= 6",
        "CREATE INDEX events_task_id ON events (task_id) WHERE task_id IS NOT NULL",
        """CREATE TABLE idempotency (domain TEXT NOT NULL, key TEXT NOT NULL, task_id TEXT NOT NULL,
  PRIMARY KEY (domain, key)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE logs (task_id TEXT NOT NULL, attempt INTEGER NOT NULL, sink TEXT NOT NULL, locator TEXT NOT NULL,
  PRIMARY KEY (task_id, attempt, sink)) STRICT, WITHOUT ROWID""",
        f"PRAGMA application_id = {APPLICATION_ID}",
        "PRAGMA user_version = 1",
    ):
        db.conn.execute(statement)
