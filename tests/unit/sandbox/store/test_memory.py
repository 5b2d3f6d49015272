"""What the double can do that the contract doesn't ask for. The rest is in tests/contracts."""

from __future__ import annotations

import pytest

from sandbox.errors import NotSupported, StoreError, StoreFull
from sandbox.store.contract import WriteGroup
from sandbox.store.memory import MemoryStore
from tests.unit.sandbox.store.conftest import MakeTask


@pytest.fixture
def double() -> MemoryStore:
    double = MemoryStore()
    double.open()
    return double


def test_done_is_called_before_write_returns(double: MemoryStore, make_task: MakeTask) -> None:
    outcomes: list[StoreError | None] = []
    double.write(WriteGroup(created=[make_task(1)]), outcomes.append)
    assert outcomes == [None]


def test_held_groups_wait_and_share_a_commit(double: MemoryStore, make_task: MakeTask) -> None:
    outcomes: list[StoreError | None] = []
    double.hold()
    for number in range(3):
        double.write(WriteGroup(created=[make_task(number)]), outcomes.append)
    assert outcomes == []
    assert list(double.load_unfinished()) == []
    assert double.stats().waiting_groups == 3
    double.release()
    assert outcomes == [None] * 3
    assert [len(groups) for groups in double.commits] == [3]
    assert double.stats().commits == 1


def test_what_is_held_fails_together(double: MemoryStore, make_task: MakeTask) -> None:
    full = StoreFull("no room")
    outcomes: list[StoreError | None] = []
    double.hold()
    for number in range(2):
        double.write(WriteGroup(created=[make_task(number)]), outcomes.append)
    double.fail_next(full)
    double.release()
    assert outcomes == [full, full]
    assert double.commits == []


async def test_it_reads_no_sql(double: MemoryStore) -> None:
    with pytest.raises(NotSupported):
        await double.reader.sql("select 1")


def test_a_restart_finds_what_was_kept(double: MemoryStore, make_task: MakeTask) -> None:
    double.write(WriteGroup(created=[make_task(1)]), lambda _: None)
    double.close()
    again = MemoryStore(double.tables)
    again.open()
    assert [task.task_id for task in again.load_unfinished()] == [make_task(1).task_id]
