"""What SQLite's reader has beyond the contract."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from sandbox.errors import StoreDamaged, StoreError
from sandbox.store.contract import TaskFilter
from sandbox.store.sqlite import SqliteStore
from tests.unit.sandbox.store.conftest import MakeTask, Write


def shrink(store: SqliteStore, size: int) -> None:
    """Let the connection for lists make no value longer than that."""
    asyncio.run(store.reader.counts())
    connection = store.reader._lists._connection
    assert connection is not None
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, size)


async def _pages(store: SqliteStore) -> list[int]:
    sizes: list[int] = []
    cursor: str | None = None
    while True:
        page = await store.reader.tasks(TaskFilter(), cursor, 16)
        sizes.append(len(page.items))
        cursor = page.next_cursor
        if cursor is None:
            return sizes


def test_a_page_too_long_for_one_value_is_shorter(store: SqliteStore, write: Write, make_task: MakeTask) -> None:
    write(store, created=[make_task(number, args=f'["{"x" * 10_000}"]') for number in range(20)])
    assert asyncio.run(_pages(store)) == [16, 4]
    shrink(store, 60_000)
    sizes = asyncio.run(_pages(store))
    assert sum(sizes) == 20
    assert max(sizes) == 4


def test_a_task_too_long_for_one_value_is_an_error(store: SqliteStore, write: Write, make_task: MakeTask) -> None:
    write(store, created=[make_task(1, args=f'["{"x" * 10_000}"]')])
    shrink(store, 5_000)
    with pytest.raises(StoreError, match="too long"):
        asyncio.run(_pages(store))


async def test_readers_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="can't be written"):
        await store.reader._lists.value("INSERT INTO domains (name) VALUES ('x') RETURNING number")


async def test_answers_are_given_side_by_side(store: SqliteStore, write: Write, make_task: MakeTask) -> None:
    write(store, created=[make_task(number) for number in range(50)])
    ids = [make_task(number).task_id for number in range(50)]
    found = await asyncio.gather(*(store.reader.task(task_id) for task_id in ids))
    assert [record and record.task_id for record in found] == ids


async def test_a_file_that_is_gone_is_said(store: SqliteStore) -> None:
    store.database.unlink()
    with pytest.raises((StoreError, StoreDamaged)):
        await store.reader.counts()
