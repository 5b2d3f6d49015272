"""Statements that people write: run so that they can only read, not for long, and not into too much memory."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.errors import BadFilter, SandboxError
from sandbox.store.contract import SqlAnswer
from sandbox.store.sqlite.faults import closed, store_error
from sandbox.store.sqlite.opening import open_reader

ANSWER_BYTES = 64 * 1024 * 1024
"""Rows beyond this are left out, and the longest value that a statement may make."""

_TABLES_HINT = "tables and views: select name from sqlite_schema where type in ('table', 'view')"

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
}
_PRAGMAS = {
    *("application_id", "compile_options", "database_list", "freelist_count", "function_list", "index_info"),
    *("index_list", "index_xinfo", "integrity_check", "journal_mode", "page_count", "page_size", "quick_check"),
    *("table_info", "table_list", "table_xinfo", "user_version"),
}
"""Those that only tell; a connection for reading couldn't change anything by the others either."""

_ARGUMENT_TELLS = _PRAGMAS - {"application_id", "journal_mode", "page_size", "user_version"}
"""Pragmas whose argument says what to tell; to the others it would be a new value."""

_TROUBLE = {"SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_READONLY"}


class Statements:
    """Runs them, and can stop the one that runs. `answer` belongs to one thread, `close` to any other."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._running: sqlite3.Connection | None = None
        self._closing = False

    def answer(self, statement: str, limit: int, seconds: float) -> SqlAnswer:
        """Run one statement on a connection of its own. Blocking.

        BadFilter says what is wrong with the statement, or that it took longer than `seconds`; StoreError that
        the store is closing.
        """
        try:
            connection = open_reader(self._database)
        except sqlite3.Error as error:
            raise store_error(error, self._database, "reading it") from error
        # A timer rather than a progress handler: that would call into Python all the time, and wait for its lock.
        timer = threading.Timer(seconds, self._stop, (connection,))
        with self._lock:
            self._running = connection
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, ANSWER_BYTES)
            connection.set_authorizer(_authorize)
            timer.start()
            if self._closing:
                raise closed(self._database)
            cursor = connection.execute(statement)
            if cursor.description is None:
                raise BadFilter("this statement has no answer", subject=statement.strip(), hint="write a select")
            columns = [column[0] for column in cursor.description]
            rows, truncated = _first(cursor, limit)
        except (sqlite3.Error, sqlite3.Warning) as error:
            if self._closing:
                raise closed(self._database) from error
            raise _refusal(error, self._database, statement, seconds) from error
        finally:
            timer.cancel()
            with self._lock:
                self._running = None
            connection.close()
        return SqlAnswer(columns=columns, rows=rows, truncated=truncated)

    def close(self) -> None:
        """Stop what runs, and refuse what comes."""
        self._closing = True
        running = self._running
        if running is not None:
            self._stop(running)

    def _stop(self, connection: sqlite3.Connection) -> None:
        # SQLite forgets an interruption that comes before the first step, so it is repeated.
        while True:
            with self._lock:
                if self._running is not connection:
                    return
                connection.interrupt()
            time.sleep(0.002)


def _first(cursor: Iterable[tuple[Any, ...]], limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    room = ANSWER_BYTES
    for row in cursor:
        if len(rows) >= limit or room <= 0:
            return rows, True
        # JSON, which is how the answer travels, has no bytes.
        rows.append(tuple(f"x'{value.hex()}'" if isinstance(value, bytes) else value for value in row))
        room -= sum(len(value) for value in row if isinstance(value, str | bytes))
    return rows, False


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _inner: str | None) -> int:
    """Asked by SQLite while it reads the statement, for everything the statement would do."""
    if action in _READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second == "load_extension" else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in (_PRAGMAS if second is None else _ARGUMENT_TELLS):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _refusal(error: Exception, database: Path, statement: str, seconds: float) -> SandboxError:
    name: str = getattr(error, "sqlite_errorname", "") or ""
    shown = " ".join(statement.split())
    if name == "SQLITE_INTERRUPT":
        return BadFilter(
            f"the statement took longer than {seconds:g} s and was stopped",
            subject=shown,
            hint="narrow it, for example with task_id =, seq > or a limit",
        )
    if name == "SQLITE_AUTH" or name.startswith("SQLITE_READONLY"):
        return BadFilter(
            "only statements that read are run here",
            subject=shown,
            why=str(error),
            hint="write a select; change tasks by the commands, such as azolla-local cancel",
        )
    if isinstance(error, sqlite3.Error) and any(name.startswith(trouble) for trouble in _TROUBLE):
        return store_error(error, database, "reading it")
    return BadFilter("the statement can't be run", subject=shown, why=str(error), hint=_TABLES_HINT)
