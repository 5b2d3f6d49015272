"""An open SQLite store in a folder of its own, which doesn't wait for the disk, and short ways to use it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import StoreError
from sandbox.model.status import TaskStatus
from sandbox.model.task import Task
from sandbox.store.contract import Durability, EventStore, WriteGroup
from sandbox.store.sqlite import SqliteStore

Write = Callable[..., "StoreError | None"]
MakeTask = Callable[..., Task]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "azolla.db"


@pytest.fixture
def store(database: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(database, Durability.ASYNC)
    store.open()
    yield store
    store.close()


@pytest.fixture
def write() -> Write:
    """Write a group and wait for its outcome."""

    def write(store: EventStore, **parts: Any) -> StoreError | None:
        finished = threading.Event()
        outcome: list[StoreError | None] = []

        def done(error: StoreError | None) -> None:
            outcome.append(error)
            finished.set()

        store.write(WriteGroup(**parts), done)
        assert finished.wait(30)
        return outcome[0]

    return write


@pytest.fixture
def make_task() -> MakeTask:
    """A pending task by its number."""

    def make(number: int = 1, **given: Any) -> Task:
        values: dict[str, Any] = {
            "task_id": f"01a0b0c0-0000-8001-8000-{number:012x}",
            "domain": "default",
            "queue": "default",
            "name": "count",
            "status": TaskStatus.PENDING,
            "created_ms": 1_000 + number,
            "args": "[1]",
            "kwargs": "{}",
        }
        return Task(**(values | given))

    return make
