"""Group commit: what shares a commit, what doesn't, and what becomes of groups when one fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.errors import StoreError
from sandbox.model.event import LogOpened
from sandbox.store.contract import WriteGroup
from sandbox.store.sqlite import SqliteStore, checkpoints, rows, statements
from tests.unit.sandbox.store.conftest import MakeTask, Write


class Gate:
    """Keeps the writer in a commit until it is opened."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._entered = threading.Event()
        self._open = threading.Event()

    def close(self) -> None:
        """The writer waits now."""

        def wait(_error: StoreError | None) -> None:
            self._entered.set()
            assert self._open.wait(30)

        self._store.write(WriteGroup(), wait)
        assert self._entered.wait(30)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(store: SqliteStore) -> Iterator[Gate]:
    gate = Gate(store)
    gate.close()
    yield gate
    gate.open()


def test_groups_that_queue_up_share_a_commit(store: SqliteStore, gate: Gate, write: Write, make_task: MakeTask) -> None:
    for number in range(100):
        store.write(WriteGroup(created=[make_task(number)]), lambda _: None)
    assert store.stats().waiting_groups == 100
    gate.open()
    write(store)
    stats = store.stats()
    assert (stats.groups, stats.waiting_groups, stats.rows) == (102, 0, 100)
    assert stats.commits <= 3
    assert stats.commit_s >= stats.last_commit_s > 0


def test_two_changes_of_one_task_do_not_share_a_commit(
    store: SqliteStore, gate: Gate, write: Write, make_task: MakeTask
) -> None:
    task, other = make_task(1), make_task(2)
    store.write(WriteGroup(created=[task, other]), lambda _: None)
    for attempt in (1, 2, 3):
        task.attempt = attempt
        store.write(WriteGroup(changed=[task]), lambda _: None)
    store.write(WriteGroup(changed=[other]), lambda _: None)
    gate.open()
    write(store)
    assert [found.attempt for found in store.load_unfinished()] == [3, 0]
    assert 4 <= store.stats().commits <= 5


def test_a_domain_is_added_in_its_turn(store: SqliteStore, gate: Gate, make_task: MakeTask) -> None:
    order: list[str] = []
    store.write(WriteGroup(created=[make_task(1)]), lambda _: order.append("before"))
    adding = threading.Thread(target=lambda: order.append(f"domain {store.add_domain('research')}"))
    adding.start()
    gate.open()
    adding.join(30)
    assert order == ["before", "domain 1"]


def test_the_groups_behind_a_failure_fail_with_it(store: SqliteStore, gate: Gate, make_task: MakeTask) -> None:
    outcomes: list[StoreError | None] = []
    finished = threading.Event()
    twice = make_task(1)
    store.write(WriteGroup(created=[twice, twice]), outcomes.append)
    # They can't share a commit, since they change the same task.
    for _ in range(3):
        store.write(WriteGroup(changed=[make_task(9)]), outcomes.append)

    def last(error: StoreError | None) -> None:
        outcomes.append(error)
        finished.set()

    store.write(WriteGroup(), last)
    gate.open()
    assert finished.wait(30)
    assert len(outcomes) == 5
    assert {type(outcome) for outcome in outcomes} == {StoreError}
    assert "report" in (outcomes[0].hint if outcomes[0] else "")
    assert store.stats().failures == 1


def test_a_domain_that_cannot_be_added_fails_alone(store: SqliteStore, write: Write, make_task: MakeTask) -> None:
    for name in (None, "\ud800"):
        with pytest.raises(StoreError):
            store.add_domain(name)  # type: ignore[arg-type]
    assert write(store, created=[make_task(1)]) is None
    assert store.add_domain("next") == 1


def test_whoever_is_told_may_fail(
    store: SqliteStore, write: Write, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def broken(_error: StoreError | None) -> None:
        raise RuntimeError("the loop is closed")

    store.write(WriteGroup(created=[make_task(1)]), broken)
    assert write(store, created=[make_task(2)]) is None
    assert [str(hooked.exc_value) for hooked in seen] == ["the loop is closed"]


def test_pages_are_moved_when_nothing_comes(
    store: SqliteStore, write: Write, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = threading.Event()
    monkeypatch.setattr(checkpoints.Checkpoints, "idle", lambda _: moved.set())
    monkeypatch.setattr(checkpoints, "IDLE_S", 0.001)
    monkeypatch.setattr(checkpoints, "IDLE_BYTES", 1)
    write(store, created=[make_task(1)])
    assert moved.wait(30)
    monkeypatch.undo()
    assert write(store, created=[make_task(2)]) is None


class TestLargeGroups:
    def test_rows_are_cut_into_parcels(self, monkeypatch: pytest.MonkeyPatch, make_task: MakeTask) -> None:
        monkeypatch.setattr(rows, "PARCEL_BYTES", 2_000)
        group = WriteGroup(
            events=[LogOpened(time_ms=1, task_id="t", attempt=n, sink="s", locator="x" * 100) for n in range(40)],
            created=[make_task(n, args=f'["{"y" * 300}"]') for n in range(40)],
        )
        encoded = rows.encode(group)
        assert encoded.rows == 40 + 40 + 40
        assert len(encoded.parcels) > 10
        assert all(len(body) <= 2_000 for parcel in encoded.parcels for body in parcel)
        assert encoded.size == sum(len(body) for parcel in encoded.parcels for body in parcel)

    def test_they_are_kept_whole(
        self, store: SqliteStore, write: Write, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rows, "PARCEL_BYTES", 2_000)
        monkeypatch.setattr(statements, "STATEMENT_BYTES", 10_000)
        created = [make_task(n, args=f'["{"y" * 300}"]') for n in range(100)]
        assert write(store, created=created) is None
        assert [task.task_id for task in store.load_unfinished()] == [task.task_id for task in created]

    def test_or_not_at_all(
        self, store: SqliteStore, write: Write, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rows, "PARCEL_BYTES", 2_000)
        monkeypatch.setattr(statements, "STATEMENT_BYTES", 10_000)
        created = [make_task(n, args=f'["{"y" * 300}"]') for n in range(100)]
        assert write(store, created=[*created, created[0]]) is not None
        assert list(store.load_unfinished()) == []
        assert write(store, created=created) is None

    def test_one_long_text(self, store: SqliteStore, write: Write, make_task: MakeTask) -> None:
        text = '["' + "ü\\n" * 1_000_000 + '"]'
        assert write(store, created=[make_task(1, args=text)]) is None
        assert [task.args for task in store.load_unfinished()] == [text]
