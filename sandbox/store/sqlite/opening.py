"""Opening a database file: is it one, is it ours, can this version read it, can it be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sandbox.errors import NotSupported, StoreForeign, StoreTooNew
from sandbox.store.contract import Durability
from sandbox.store.sqlite import schema, statements
from sandbox.store.sqlite.checkpoints import grow_log
from sandbox.store.sqlite.faults import store_error

OLDEST_SQLITE = (3, 38, 0)
"""The first with JSON functions in every build; STRICT tables came a release before."""

_SYNCHRONOUS = {Durability.FULL: "FULL", Durability.NORMAL: "NORMAL", Durability.ASYNC: "OFF"}


def open_writer(database: Path, durability: Durability) -> sqlite3.Connection:
    """The one connection that writes, with the file brought to this version.

    Raises StoreForeign, StoreTooNew, StoreReadOnly, StoreFull or StoreDamaged, and leaves the file as it was.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise NotSupported(
            f"SQLite {sqlite3.sqlite_version} is too old",
            why=f"azolla-local needs {'.'.join(map(str, OLDEST_SQLITE))} or later; it is part of your Python",
            hint="use a newer Python, for example one made by uv (uv python install)",
        )
    connection: sqlite3.Connection | None = None
    try:
        if database.exists() and database.stat().st_size:
            _check(database)
        connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False, cached_statements=32)
        _settle(connection, durability)
        schema.migrate(connection)
        schema.fill_words(connection)
        statements.prepare(connection)
        if durability is Durability.FULL:
            grow_log(connection, database)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise store_error(error, database, "opening it") from error
    return connection


def open_reader(database: Path) -> sqlite3.Connection:
    """A connection that can't write. To be used by one thread at a time. sqlite3.Error if the file can't be read."""
    connection = sqlite3.connect(_read_only_uri(database), uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -4096")
    return connection


def _check(database: Path) -> None:
    """Look at what is there through a connection that can't change it."""
    connection = sqlite3.connect(_read_only_uri(database), uri=True, isolation_level=None)
    try:
        application_id: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    finally:
        connection.close()
    if application_id != schema.APPLICATION_ID and (application_id or version or tables):
        raise StoreForeign(
            "this database belongs to another program",
            subject=str(database),
            why=f"its application id is {application_id:#010x}, ours is {schema.APPLICATION_ID:#010x}",
            hint="move the file away, or choose another state folder; it was not changed",
        )
    if version > schema.SCHEMA_VERSION:
        raise StoreTooNew(
            "this database was written by a later version of azolla-local",
            subject=str(database),
            why=f"its schema has version {version}, this program knows versions up to {schema.SCHEMA_VERSION}",
            hint="install the later version again (pip install -U azolla-local), or choose another environment",
        )


def _settle(connection: sqlite3.Connection, durability: Durability) -> None:
    # A file that isn't ours yet must not become one for the lack of a mode: WAL is set before anything is written.
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    # Checkpoints are ours to time, and the log keeps its size: overwriting is twice as fast as growing.
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchone()
    connection.execute("PRAGMA journal_size_limit = -1").fetchone()
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -16384")
    # No mmap: an error of the disk would come as a signal that ends the process, not as an error.
    connection.execute("PRAGMA mmap_size = 0").fetchone()
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA recursive_triggers = OFF")
    # The lock file keeps other orchestrators out; a person's sqlite3 shell may hold the file for a moment.
    connection.execute("PRAGMA busy_timeout = 5000").fetchone()


def _read_only_uri(database: Path) -> str:
    return f"file:{quote(str(database.absolute()))}?mode=ro"
