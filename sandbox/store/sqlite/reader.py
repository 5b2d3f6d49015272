"""Answers from committed groups, given by threads of their own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import orjson

from sandbox.errors import StoreError
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from sandbox.store.contract import EventRecord, LogRecord, Page, ShepherdRecord, SqlAnswer, TaskFilter, TaskRecord
from sandbox.store.sqlite import queries
from sandbox.store.sqlite.answers import (
    STATUSES,
    ended_task,
    event_record,
    log_record,
    shepherd_record,
    task_record,
)
from sandbox.store.sqlite.faults import closed, store_error
from sandbox.store.sqlite.opening import open_reader
from sandbox.store.sqlite.sql import Statements

Answer = TypeVar("Answer")


class StoreTooLong(StoreError):
    """SQLite makes no value of more than 1 GB. Stays inside, but for a single task as long as that."""


class _Lane:
    """One thread with one connection, opened when it is first needed."""

    def __init__(self, database: Path, name: str) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"store-{name}")
        self._connection: sqlite3.Connection | None = None

    async def value(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """The only value of the only row."""
        return await self.run(lambda: self._value(statement, parameters))

    async def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[list[Any]]:
        """The rows that the only value, a JSON array, is made of."""
        return orjson.loads(await self.value(statement, parameters))

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Have the thread do it. StoreError if the store is closed."""
        try:
            waiting = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except RuntimeError as error:
            raise closed(self._database) from error
        return await waiting

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()

    def _value(self, statement: str, parameters: Sequence[object]) -> Any:
        try:
            if self._connection is None:
                self._connection = open_reader(self._database)
            return self._connection.execute(statement, parameters).fetchone()[0]
        except sqlite3.DataError as error:
            raise StoreTooLong("an answer is too long to be given", why=str(error)) from error
        except sqlite3.Error as error:
            raise store_error(error, self._database, "reading it") from error


class SqliteReader:
    """A :class:`sandbox.store.contract.TaskReader`.

    Three lanes, so that a long list keeps nobody waiting who asks for one task, nor a person's statement either.
    """

    def __init__(self, database: Path) -> None:
        self._lookups = _Lane(database, "lookups")
        self._lists = _Lane(database, "lists")
        self._people = _Lane(database, "people")
        self._statements = Statements(database)

    async def task(self, task_id: str) -> TaskRecord | None:
        rows = await self._lookups.rows(queries.TASK, (task_id,))
        return task_record(rows[0]) if rows else None

    async def ended(self, task_id: str) -> EndedTask | None:
        rows = await self._lookups.rows(queries.ENDED, (task_id,))
        return ended_task(rows[0]) if rows else None

    async def ids_with_prefix(self, prefix: str, limit: int) -> list[str]:
        rows = await self._lookups.rows(queries.IDS, (prefix, prefix + queries.AFTER_EVERY_ID, limit))
        return [task_id for (task_id,) in rows]

    async def tasks(self, which: TaskFilter, after: str | None = None, limit: int = 100) -> Page[TaskRecord]:
        query = queries.tasks(which, after, limit)
        try:
            rows = await self._lists.rows(query.statement, query.parameters)
        except StoreTooLong:
            # Tasks with very long input or results: a shorter page is a page too.
            if limit > 1:
                return await self.tasks(which, after, limit // 2)
            raise
        more = len(rows) > limit
        page = rows[:limit]
        return Page([task_record(row[1:]) for row in page], queries.cursor(page[-1][0]) if more and page else None)

    async def events(self, task_id: str) -> list[EventRecord]:
        return [event_record(row) for row in await self._lookups.rows(queries.EVENTS_OF_TASK, (task_id,))]

    async def events_after(self, seq: int, limit: int, domain: str | None = None) -> list[EventRecord]:
        if domain is None:
            rows = await self._lookups.rows(queries.EVENTS_AFTER, (seq, limit))
        else:
            rows = await self._lists.rows(queries.EVENTS_AFTER_IN_DOMAIN, (seq, domain, limit))
        return [event_record(row) for row in rows]

    async def last_seq(self) -> int:
        return await self._lookups.value(queries.LAST_SEQ)

    async def logs(self, task_id: str) -> list[LogRecord]:
        return [log_record(row) for row in await self._lookups.rows(queries.LOGS, (task_id,))]

    async def shepherds(self) -> list[ShepherdRecord]:
        return [shepherd_record(row) for row in await self._lists.rows(queries.SHEPHERDS)]

    async def counts(self, domain: str | None = None) -> dict[TaskStatus, int]:
        if domain is None:
            rows = await self._lists.rows(queries.COUNTS)
        else:
            rows = await self._lists.rows(queries.COUNTS_IN_DOMAIN, (domain, domain))
        return {STATUSES[status]: many for status, many in rows}

    async def sql(self, statement: str, *, limit: int = 1000, seconds: float = 5.0) -> SqlAnswer:
        return await self._people.run(lambda: self._statements.answer(statement, limit, seconds))

    def close(self) -> None:
        """Stop what people asked for, finish the rest, let go of the file. Blocking."""
        self._statements.close()
        for lane in (self._people, self._lists, self._lookups):
            lane.close()
