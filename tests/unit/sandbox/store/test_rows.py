"""Groups as JSON rows."""

from __future__ import annotations

from dataclasses import asdict
from itertools import count
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import StoreError
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import Durability, WriteGroup
from sandbox.store.sqlite import SqliteStore
from sandbox.store.sqlite.rows import encode
from tests.unit.sandbox.store.conftest import MakeTask, Write

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NUMBERS = count()
NUMBER = st.integers(-(2**63), 2**63 - 1)


def test_nothing_is_no_parcel() -> None:
    encoded = encode(WriteGroup())
    assert (encoded.rows, encoded.size, len(encoded.parcels)) == (0, 0, 0)


def test_a_task_made_and_changed_in_one_group_is_one_row(make_task: MakeTask) -> None:
    first, second = make_task(1), make_task(2)
    encoded = encode(WriteGroup(created=[first], changed=[first, second, second]))
    assert encoded.changed_ids == {second.task_id}
    assert encoded.rows == 2


@pytest.mark.parametrize("broken", [{"args": "\ud800"}, {"priority": 2**70}, {"labels": {"a": "\udfff"}}])
def test_what_json_cannot_hold_is_refused(make_task: MakeTask, broken: dict[str, object]) -> None:
    with pytest.raises(StoreError, match="can't be kept"):
        encode(WriteGroup(created=[make_task(1, **broken)]))


async def test_nul_is_shown_where_it_is_raw_and_kept_where_it_is_escaped(
    store: SqliteStore, write: Write, make_task: MakeTask
) -> None:
    task = make_task(1, args=r'["a\u0000b", "a\\u0000b"]', name="a\0b", labels={"k": "v\0w"})
    end = EndedTask(
        task_id=task.task_id,
        domain="default",
        status=TaskStatus.FAILED,
        attempt=1,
        ended_ms=1,
        error_message="before\0after",
    )
    assert write(store, created=[task], ended=[end]) is None
    record = await store.reader.task(task.task_id)
    assert record is not None
    assert record.args == task.args
    assert record.error_message == "before\u2400after"
    assert record.name == "a\u2400b"
    assert record.labels == task.labels
    assert orjson.loads(record.args) == ["a\0b", r"a\u0000b"]


@given(
    tasks=st.lists(
        st.builds(
            Task,
            task_id=st.just(""),
            domain=TEXT,
            queue=TEXT,
            name=TEXT,
            status=st.sampled_from([status for status in TaskStatus if not status.ended]),
            created_ms=NUMBER,
            args=TEXT,
            kwargs=TEXT,
            priority=NUMBER,
            attempt=NUMBER,
            uncounted=NUMBER,
            lost=NUMBER,
            due_ms=NUMBER,
            started_ms=NUMBER,
            shepherd_id=TEXT,
            timeout_ms=NUMBER,
            retry_policy=st.none() | st.builds(RetryPolicy, max_attempts=st.integers(1, 9)),
            labels=st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
            flow_id=st.none() | TEXT,
            cancel_requested=st.booleans(),
        ),
        max_size=5,
    )
)
def test_any_task_comes_back_as_it_was(shared_store: SqliteStore, tasks: list[Task]) -> None:
    for task in tasks:
        task.task_id = f"task {next(NUMBERS)}"
    finished: list[object] = []
    shared_store.write(WriteGroup(created=tasks), finished.append)
    # Comes after the group, and is waited for.
    shared_store.add_domain(f"domain {next(NUMBERS)}")
    assert finished == [None]
    found = [asdict(task) for task in shared_store.load_unfinished()]
    assert found == [asdict(task) for task in tasks]
    # Gone from the unfinished ones, so that the next example finds only its own.
    over = [EndedTask(task_id=task.task_id, domain="", status=TaskStatus.LOST, attempt=0, ended_ms=1) for task in tasks]
    shared_store.write(WriteGroup(ended=over), lambda _: None)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> object:
    store = SqliteStore(Path(tmp_path_factory.mktemp("rows")) / "azolla.db", Durability.ASYNC)
    store.open()
    yield store
    store.close()
