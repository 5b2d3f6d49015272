"""What every event store promises. A new implementation adds itself to `STORES` and passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import BadFilter, StoreError
from sandbox.model.event import (
    AttemptAssigned,
    AttemptEnded,
    EventType,
    LogOpened,
    OrchestratorStarted,
    ShepherdConnected,
    ShepherdLeft,
    ShepherdLost,
    TaskCreated,
    TaskEnded,
    TaskEventPublished,
)
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import Durability, EventStore, TaskFilter, WriteGroup
from sandbox.store.memory import MemoryStore
from sandbox.store.sqlite import SqliteStore

Open = Callable[[], EventStore]


def _memory(_: Path) -> Open:
    first = MemoryStore()
    return lambda: MemoryStore(first.tables)


def _sqlite(folder: Path) -> Open:
    # What is durable is tested apart; here the disk need not be waited for.
    return lambda: SqliteStore(folder / "azolla.db", Durability.ASYNC)


STORES = {"memory": _memory, "sqlite": _sqlite}


@pytest.fixture(params=list(STORES))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Makes stores that hold the same content, one open at a time."""
    return STORES[request.param](tmp_path)


@pytest.fixture
def store(make: Open) -> Iterator[EventStore]:
    store = make()
    store.open()
    yield store
    store.close()


def write(store: EventStore, **parts: Any) -> StoreError | None:
    """Write a group and wait for its outcome."""
    finished = threading.Event()
    outcome: list[StoreError | None] = []

    def done(error: StoreError | None) -> None:
        outcome.append(error)
        finished.set()

    store.write(WriteGroup(**parts), done)
    assert finished.wait(30)
    return outcome[0]


def task(number: int = 1, **given: Any) -> Task:
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


def ended(number: int = 1, **given: Any) -> EndedTask:
    values: dict[str, Any] = {
        "task_id": task(number).task_id,
        "domain": "default",
        "status": TaskStatus.SUCCEEDED,
        "attempt": 1,
        "ended_ms": 9_000,
        "result": '{"n": 3}',
    }
    return EndedTask(**(values | given))


FULL = task(
    7,
    domain="research",
    queue="gpu",
    name="train.größe",
    status=TaskStatus.RETRYING,
    args='["a \\"quoted\\" \\u0000 text", 1.50, null]',
    kwargs='{"emoji": "🪴", "nested": {"deep": [1, 2]}}',
    priority=-3,
    attempt=2,
    uncounted=1,
    lost=1,
    due_ms=5_000,
    started_ms=4_000,
    shepherd_id="shepherd-1",
    timeout_ms=60_000,
    retry_policy=RetryPolicy(max_attempts=None, strategy=WaitStrategy.FIXED, delay=0.25, include_errors=("A", "B")),
    idempotency_key="order/17",
    labels={"team": "blue", "odd.key\"'": "x y"},
    flow_id="flow-1",
    cancel_requested=True,
)


def fields(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__slots__}  # type: ignore[attr-defined]


class TestTasks:
    def test_a_task_comes_back_as_it_was(self, store: EventStore) -> None:
        assert write(store, created=[FULL]) is None
        (found,) = store.load_unfinished()
        assert fields(found) == fields(FULL)

    async def test_a_record_has_every_column(self, store: EventStore) -> None:
        write(store, created=[FULL])
        record = await store.reader.task(FULL.task_id)
        assert record is not None
        for name in ("args", "kwargs", "labels", "priority", "flow_id", "cancel_requested", "due_ms", "status"):
            assert getattr(record, name) == getattr(FULL, name), name
        assert record.retry_policy is not None
        assert RetryPolicy.from_json(record.retry_policy) == FULL.retry_policy
        assert (record.result, record.error_type, record.error_data, record.ended_ms) == (None, "", "", 0)

    def test_a_group_is_cut_loose_from_its_objects(self, store: EventStore) -> None:
        first = task(1)
        group = WriteGroup(created=[first])
        finished = threading.Event()
        store.write(group, lambda _: finished.set())
        first.status = TaskStatus.CANCELLED
        group.created.clear()
        assert finished.wait(30)
        assert [found.status for found in store.load_unfinished()] == [TaskStatus.PENDING]

    def test_changes_are_kept(self, store: EventStore) -> None:
        first, second = task(1), task(2)
        write(store, created=[first, second])
        first.status, first.attempt, first.shepherd_id = TaskStatus.ASSIGNED, 1, "s"
        write(store, changed=[first])
        first.uncounted, first.lost, first.cancel_requested = 4, 3, True
        first.started_ms, first.due_ms, first.priority = 77, 78, 9
        write(store, changed=[first])
        found = list(store.load_unfinished())
        assert [fields(each) for each in found] == [fields(first), fields(second)]

    def test_a_change_in_the_group_that_creates_is_one(self, store: EventStore) -> None:
        first = task(1)
        first.status, first.attempt = TaskStatus.ASSIGNED, 1
        write(store, created=[first], changed=[first])
        assert [each.attempt for each in store.load_unfinished()] == [1]

    async def test_a_task_may_live_and_end_in_one_group(self, store: EventStore) -> None:
        write(store, created=[task(1)], changed=[task(1)], ended=[ended(1)])
        assert await store.reader.ended(task(1).task_id) == ended(1)
        assert list(store.load_unfinished()) == []

    async def test_an_ended_task_comes_back_as_it_was(self, store: EventStore) -> None:
        failed = ended(
            2,
            status=TaskStatus.DEAD,
            attempt=5,
            result=None,
            error_type="ValueError",
            error_message="too \t\n wide: ü",
            error_data='{"limit":3}',
            retriable=True,
        )
        write(store, created=[task(1), task(2), task(3)], ended=[ended(1), failed])
        assert await store.reader.ended(task(1).task_id) == ended(1)
        assert await store.reader.ended(task(2).task_id) == failed
        assert await store.reader.ended(task(3).task_id) is None
        assert await store.reader.ended("nobody") is None
        assert [found.task_id for found in store.load_unfinished()] == [task(3).task_id]

    async def test_when_it_started_comes_from_the_end_of_its_attempt(self, store: EventStore) -> None:
        over = AttemptEnded(
            time_ms=5, task_id=task(1).task_id, attempt=1, outcome=AttemptOutcome.SUCCEEDED, started_ms=4_444
        )
        write(store, created=[task(1), task(2, started_ms=11)])
        write(store, events=[over], ended=[ended(1), ended(2)])
        first = await store.reader.task(task(1).task_id)
        second = await store.reader.task(task(2).task_id)
        assert (first and first.started_ms, second and second.started_ms) == (4_444, 11)

    def test_unfinished_tasks_come_in_order_of_creation(self, store: EventStore) -> None:
        for number in (5, 1, 9):
            write(store, created=[task(number), task(number + 100)])
        numbers = [int(found.task_id[-3:], 16) for found in store.load_unfinished()]
        assert numbers == [5, 105, 1, 101, 9, 109]

    def test_changes_of_one_task_in_groups_that_queue_up_win_in_order(self, store: EventStore) -> None:
        first = task(1)
        write(store, created=[first])
        finished = threading.Event()
        for attempt in range(1, 40):
            first.attempt = attempt
            store.write(WriteGroup(changed=[first]), lambda _: None)
        store.write(WriteGroup(), lambda _: finished.set())
        assert finished.wait(30)
        assert [found.attempt for found in store.load_unfinished()] == [39]

    def test_a_group_of_nothing_is_answered(self, store: EventStore) -> None:
        assert write(store) is None

    def test_what_no_text_can_be_is_refused_alone(self, store: EventStore) -> None:
        if isinstance(store, MemoryStore):
            pytest.skip("the double keeps every Python string")
        with pytest.raises(StoreError, match="can't be kept"):
            store.write(WriteGroup(created=[task(1, args='["\ud800"]')]), lambda _: None)
        assert write(store, created=[task(2)]) is None
        assert [found.task_id for found in store.load_unfinished()] == [task(2).task_id]


class TestOrder:
    def test_groups_are_answered_once_each_in_order(self, store: EventStore) -> None:
        answered: list[int] = []
        finished = threading.Event()
        for number in range(50):
            group = WriteGroup(created=[task(number)])
            store.write(group, lambda _, number=number: answered.append(number))
        store.write(WriteGroup(), lambda _: finished.set())
        assert finished.wait(30)
        assert answered == list(range(50))
        assert store.stats().groups == 51

    async def test_events_are_numbered_in_order(self, store: EventStore) -> None:
        for start in range(0, 30, 10):
            write(
                store, events=[OrchestratorStarted(time_ms=start + at, version="1", unfinished=0) for at in range(10)]
            )
        records = await store.reader.events_after(0, 100)
        assert [record.time_ms for record in records] == list(range(30))
        assert [record.seq for record in records] == sorted({record.seq for record in records})
        assert await store.reader.last_seq() == records[-1].seq
        assert await store.reader.events_after(records[9].seq, 5) == records[10:15]


class TestFailure:
    """How to make one is the implementation's own; here, an idempotency key that is taken. See their tests too."""

    def _break(self, store: EventStore) -> None:
        if isinstance(store, MemoryStore):
            store.fail_next(StoreError("broken"))

    def _failing(self, number: int) -> WriteGroup:
        # Created twice: SQLite refuses the second row of the same task.
        return WriteGroup(created=[task(number), task(number)], events=[_created(number)])

    async def test_nothing_of_a_failed_group_is_kept(self, store: EventStore) -> None:
        self._break(store)
        outcome: list[StoreError | None] = []
        finished = threading.Event()
        store.write(self._failing(1), lambda error: (outcome.append(error), finished.set()))
        assert finished.wait(30)
        assert isinstance(outcome[0], StoreError)
        assert list(store.load_unfinished()) == []
        assert await store.reader.events_after(0, 10) == []
        assert store.stats().failures == 1

    def test_groups_after_a_failure_fail_until_the_state_is_read_anew(self, store: EventStore) -> None:
        write(store, created=[task(1)])
        self._break(store)
        finished = threading.Event()
        outcome: list[StoreError | None] = []
        store.write(self._failing(2), outcome.append)
        store.write(WriteGroup(created=[task(3)]), outcome.append)
        store.write(WriteGroup(), lambda error: (outcome.append(error), finished.set()))
        assert finished.wait(30)
        assert len(outcome) == 3
        assert outcome[0] is not None
        assert outcome[0] is outcome[1] is outcome[2]
        assert write(store, created=[task(4)]) is outcome[0]

        assert [found.task_id for found in store.load_unfinished()] == [task(1).task_id]
        assert write(store, created=[task(5)]) is None
        assert [found.task_id for found in store.load_unfinished()] == [task(1).task_id, task(5).task_id]


def _created(number: int = 1, **given: Any) -> TaskCreated:
    values: dict[str, Any] = {"time_ms": 1, "domain": "default", "task_id": task(number).task_id}
    return TaskCreated(**(values | {"name": "count", "queue": "default"} | given))


class TestEvents:
    async def test_an_event_comes_back_with_what_differs_from_the_defaults(self, store: EventStore) -> None:
        first = task(1).task_id
        write(
            store,
            events=[
                _created(1, not_before_ms=50),
                AttemptAssigned(time_ms=2, domain="default", task_id=first, attempt=1, shepherd_id="s"),
                AttemptEnded(
                    time_ms=3,
                    domain="default",
                    task_id=first,
                    attempt=1,
                    shepherd_id="s",
                    outcome=AttemptOutcome.TIMED_OUT,
                    exit_code=0,
                    signal=9,
                    error_message="a \0 b",
                ),
                TaskEnded(time_ms=4, domain="default", task_id=first, status=TaskStatus.TIMED_OUT, reason="late"),
                TaskEventPublished(time_ms=5, task_id=first, published_type=1000, metadata='{"a": [1.0]}'),
            ],
        )
        records = await store.reader.events(first)
        assert [(record.type, record.metadata) for record in records[:2]] == [
            (EventType.TASK_CREATED, {"name": "count", "queue": "default", "not_before_ms": 50}),
            (EventType.ATTEMPT_ASSIGNED, {}),
        ]
        message = records[2].metadata.pop("error_message")
        assert message.startswith("a ")
        assert message.endswith(" b")
        assert records[2].metadata == {"outcome": "timed-out", "exit_code": 0, "signal": 9}
        assert records[3].metadata == {"status": "timed-out", "reason": "late"}
        assert records[4].metadata == {"published_type": 1000, "metadata": '{"a": [1.0]}'}
        assert (records[1].attempt, records[1].shepherd_id, records[1].domain) == (1, "s", "default")

    async def test_events_of_one_domain_or_task(self, store: EventStore) -> None:
        write(store, events=[_created(number, domain=f"d{number % 2}") for number in range(6)])
        found = await store.reader.events_after(0, 2, "d1")
        assert [record.task_id for record in found] == [task(1).task_id, task(3).task_id]
        assert [record.task_id for record in await store.reader.events(task(4).task_id)] == [task(4).task_id]

    async def test_a_log_has_its_newest_place(self, store: EventStore) -> None:
        def opened(attempt: int, sink: str, locator: str) -> LogOpened:
            return LogOpened(time_ms=1, task_id="t", attempt=attempt, sink=sink, locator=locator)

        write(store, events=[opened(2, "local", "/b"), opened(1, "local", "/a")])
        write(store, events=[opened(2, "local", "/c"), opened(2, "archive", "/d")])
        found = [(log.attempt, log.sink, log.locator) for log in await store.reader.logs("t")]
        assert found == [(1, "local", "/a"), (2, "archive", "/d"), (2, "local", "/c")]
        assert await store.reader.logs("other") == []

    async def test_the_list_of_shepherds_follows_their_events(self, store: EventStore) -> None:
        def hello(time_ms: int, epoch: int) -> ShepherdConnected:
            return ShepherdConnected(time_ms=time_ms, shepherd_id="s1", epoch=epoch, queue="q", host="h", version="1")

        write(store, events=[hello(1, 1), ShepherdLeft(time_ms=2, shepherd_id="s1"), hello(3, 2)])
        write(store, events=[ShepherdLost(time_ms=4, shepherd_id="s0", attempts=0)])
        unknown, known = await store.reader.shepherds()
        assert (unknown.shepherd_id, unknown.epoch, unknown.connected) == ("s0", 0, False)
        assert (known.epoch, known.queue, known.host, known.version) == (2, "q", "h", "1")
        assert (known.first_seen_ms, known.last_seen_ms, known.connected) == (1, 3, True)
        write(store, events=[ShepherdLost(time_ms=9, shepherd_id="s1", attempts=2)])
        known = (await store.reader.shepherds())[1]
        assert (known.epoch, known.queue, known.last_seen_ms, known.connected) == (2, "q", 9, False)


class TestLists:
    @pytest.fixture(autouse=True)
    def _some_tasks(self, store: EventStore) -> None:
        statuses = [TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.DEAD]
        created = [
            task(
                number,
                domain=("default", "other")[number % 2],
                queue=("a", "b", "c")[number % 3],
                name=("count.words", "count.lines", "Reduce")[number % 3],
                labels={"parity": str(number % 2)} if number % 5 else None,
            )
            for number in range(20)
        ]
        ends: list[EndedTask] = []
        for number, each in enumerate(created):
            status = statuses[number % 5]
            if status.ended:
                ends.append(ended(number, domain=each.domain, status=status))
            else:
                each.status = status
        write(store, created=created, ended=ends)

    async def _numbers(self, store: EventStore, which: TaskFilter, limit: int = 100) -> list[int]:
        page = await store.reader.tasks(which, None, limit)
        return [int(record.task_id[-3:], 16) for record in page.items]

    @pytest.mark.parametrize(
        ("which", "expected"),
        [
            (TaskFilter(), range(20)),
            (TaskFilter(domain="other"), range(1, 20, 2)),
            (TaskFilter(domain="nowhere"), ()),
            (TaskFilter(queue="c"), range(2, 20, 3)),
            (TaskFilter(statuses=[TaskStatus.RUNNING]), range(1, 20, 5)),
            (TaskFilter(statuses=[TaskStatus.PENDING, TaskStatus.RUNNING]), [n for n in range(20) if n % 5 < 2]),
            (TaskFilter(statuses=[TaskStatus.FAILED, TaskStatus.DEAD]), [n for n in range(20) if n % 5 > 2]),
            (TaskFilter(statuses=[TaskStatus.SUCCEEDED]), range(2, 20, 5)),
            (TaskFilter(statuses=[TaskStatus.RUNNING, TaskStatus.DEAD]), [n for n in range(20) if n % 5 in {1, 4}]),
            (TaskFilter(statuses=[TaskStatus.DEAD], domain="other"), [9, 19]),
            (TaskFilter(statuses=[TaskStatus.PENDING], domain="other"), [5, 15]),
            (TaskFilter(statuses=[TaskStatus.SUCCEEDED], domain="other"), [7, 17]),
            (TaskFilter(statuses=list(TaskStatus)), range(20)),
            (TaskFilter(name="count.*"), [n for n in range(20) if n % 3 < 2]),
            (TaskFilter(name="count.[kl]ines"), range(1, 20, 3)),
            (TaskFilter(name="count.[^w]*"), range(1, 20, 3)),
            (TaskFilter(name="reduce"), ()),
            (TaskFilter(name="Reduc?"), range(2, 20, 3)),
            (TaskFilter(labels={"parity": "1"}), [n for n in range(1, 20, 2) if n % 5]),
            (TaskFilter(labels={"parity": "1", "more": "1"}), ()),
            (TaskFilter(created_from_ms=1005, created_before_ms=1008), [5, 6, 7]),
        ],
    )
    async def test_filters(self, store: EventStore, which: TaskFilter, expected: Any) -> None:
        assert await self._numbers(store, which) == sorted(expected, reverse=True)

    @pytest.mark.parametrize(
        "which",
        [
            TaskFilter(),
            TaskFilter(domain="default"),
            TaskFilter(statuses=[TaskStatus.PENDING, TaskStatus.RUNNING]),
            TaskFilter(statuses=[TaskStatus.FAILED, TaskStatus.DEAD]),
        ],
    )
    @pytest.mark.parametrize("limit", [1, 3, 7, 20])
    async def test_pages_hold_everything_once(self, store: EventStore, which: TaskFilter, limit: int) -> None:
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await store.reader.tasks(which, cursor, limit)
            assert len(page.items) <= limit
            found += [record.task_id for record in page.items]
            # New tasks don't disturb the pages of older ones.
            write(store, created=[task(1000 + len(found))])
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == sorted(set(found), reverse=True)
        assert [int(task_id[-3:], 16) for task_id in found] == [
            number for number in await self._numbers(store, which) if number < 1000
        ]

    @pytest.mark.parametrize("cursor", ["", "x", "dGFza3M6", "dGFza3M6LTE", "ä", "!!!!", "MTIz"])
    async def test_a_cursor_that_is_none(self, store: EventStore, cursor: str) -> None:
        with pytest.raises(BadFilter, match="cursor"):
            await store.reader.tasks(TaskFilter(), cursor)

    async def test_counts(self, store: EventStore) -> None:
        statuses = (TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.DEAD)
        assert await store.reader.counts() == dict.fromkeys(statuses, 4)
        assert await store.reader.counts("other") == dict.fromkeys(statuses, 2)
        assert await store.reader.counts("nowhere") == {}

    async def test_ids_with_a_prefix(self, store: EventStore) -> None:
        everything = [task(number).task_id for number in range(20)]
        assert await store.reader.ids_with_prefix("", 100) == everything
        assert await store.reader.ids_with_prefix("01a0b0c0-0000", 3) == everything[:3]
        assert await store.reader.ids_with_prefix(everything[4], 3) == [everything[4]]
        assert await store.reader.ids_with_prefix(everything[0][:-1] + "1", 9) == [everything[1]]
        assert await store.reader.ids_with_prefix("02", 9) == []
        assert await store.reader.ids_with_prefix("%", 9) == []


class TestNumbersAndKeys:
    def test_domains_are_numbered_once(self, store: EventStore) -> None:
        first, second = store.add_domain("default"), store.add_domain("research")
        assert first != second
        assert store.add_domain("default") == first
        assert store.domain_numbers() == {"default": first, "research": second}

    def test_keys_stand_for_tasks(self, store: EventStore) -> None:
        write(store, created=[task(1, idempotency_key="k"), task(2, domain="other", idempotency_key="k"), task(3)])
        write(store, ended=[ended(1)])
        found = {(domain, key): task_id for domain, key, task_id in store.idempotency_keys()}
        assert found == {("default", "k"): task(1).task_id, ("other", "k"): task(2).task_id}


class TestLife:
    async def test_everything_is_there_after_a_restart(self, make: Open) -> None:
        before = make()
        before.open()
        number = before.add_domain("default")
        write(before, created=[FULL, task(1)], ended=[ended(1)], events=[_created(1)])
        before.close()

        after = make()
        after.open()
        assert [fields(found) for found in after.load_unfinished()] == [fields(FULL)]
        assert await after.reader.ended(task(1).task_id) == ended(1)
        assert len(await after.reader.events_after(0, 9)) == 1
        assert after.domain_numbers() == {"default": number}
        assert list(after.idempotency_keys()) == [("research", "order/17", FULL.task_id)]
        write(after, events=[_created(2)])
        assert await after.reader.last_seq() == 2
        after.close()

    def test_close_commits_what_is_queued(self, make: Open) -> None:
        before = make()
        before.open()
        outcome: list[StoreError | None] = []
        for number in range(20):
            before.write(WriteGroup(created=[task(number)]), outcome.append)
        before.close()
        assert outcome == [None] * 20
        after = make()
        after.open()
        assert len(list(after.load_unfinished())) == 20
        after.close()

    async def test_a_closed_store_says_so(self, make: Open) -> None:
        closed = make()
        with pytest.raises(StoreError, match="closed"):
            closed.write(WriteGroup(), lambda _: None)
        closed.open()
        reader = closed.reader
        closed.close()
        closed.close()
        with pytest.raises(StoreError, match="closed"):
            closed.write(WriteGroup(), lambda _: None)
        with pytest.raises(StoreError, match="closed"):
            closed.load_unfinished()
        with pytest.raises(StoreError, match="closed"):
            closed.add_domain("late")
        with pytest.raises(StoreError, match="closed"):
            await reader.task("t")
