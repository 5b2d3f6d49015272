"""The event store on SQLite: one file, one thread that writes, readers that never wait for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sandbox.errors import StoreError
from sandbox.model.task import Task
from sandbox.store.contract import Durability, StoreStats, WriteGroup
from sandbox.store.sqlite import loading
from sandbox.store.sqlite.faults import closed, store_error
from sandbox.store.sqlite.lock import DatabaseLock
from sandbox.store.sqlite.opening import open_reader, open_writer
from sandbox.store.sqlite.reader import SqliteReader
from sandbox.store.sqlite.rows import encode
from sandbox.store.sqlite.writer import Writer

Item = TypeVar("Item")


class SqliteStore:
    """An :class:`sandbox.store.contract.EventStore` in the file `database`, locked by `azolla.lock` beside it."""

    def __init__(self, database: Path, durability: Durability = Durability.FULL) -> None:
        self.database = database
        self.durability = durability
        self._lock = DatabaseLock(database.with_suffix(".lock"), database)
        self._writer: Writer | None = None
        self._connection: sqlite3.Connection | None = None
        self._reader: SqliteReader | None = None
        self._domains: dict[str, int] = {}

    @property
    def reader(self) -> SqliteReader:
        if self._reader is None:
            raise closed(self.database)
        return self._reader

    def open(self) -> None:
        self._lock.take()
        try:
            self._connection = connection = open_writer(self.database, self.durability)
            try:
                self._domains = dict(connection.execute("SELECT name, number FROM domains").fetchall())
            except sqlite3.Error as error:
                connection.close()
                raise store_error(error, self.database, "opening it") from error
        except BaseException:
            self._lock.release()
            raise
        self._reader = SqliteReader(self.database)
        self._writer = Writer(connection, self.database)
        self._writer.start()

    def write(self, group: WriteGroup, done: Callable[[StoreError | None], None]) -> None:
        if self._writer is None:
            raise closed(self.database)
        self._writer.put(encode(group), done)

    def load_unfinished(self) -> Iterator[Task]:
        if self._writer is None:
            raise closed(self.database)
        self._writer.resume()
        return iter(self._read(loading.unfinished))

    def idempotency_keys(self) -> Iterator[tuple[str, str, str]]:
        return iter(self._read(lambda db: db.execute("SELECT domain, key, task_id FROM idempotency").fetchall()))

    def domain_numbers(self) -> dict[str, int]:
        return dict(self._domains)

    def add_domain(self, name: str) -> int:
        if self._writer is None:
            raise closed(self.database)
        number = self._domains.get(name)
        if number is None:
            number = self._domains[name] = self._writer.call(lambda db: _insert_domain(db, name))
        return number

    def stats(self) -> StoreStats:
        return StoreStats() if self._writer is None else self._writer.stats()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None or self._reader is None or self._connection is None:
            return
        writer.stop()
        self._reader.close()
        # The last one to close moves the log into the file and removes it.
        self._connection.close()
        self._lock.release()

    def _read(self, work: Callable[[sqlite3.Connection], list[Item]]) -> list[Item]:
        try:
            connection = open_reader(self.database)
            try:
                return work(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise store_error(error, self.database, "reading it") from error


def _insert_domain(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT INTO domains (name) VALUES (?)", (name,))
    number: int = connection.execute("SELECT number FROM domains WHERE name = ?", (name,)).fetchone()[0]
    return number
