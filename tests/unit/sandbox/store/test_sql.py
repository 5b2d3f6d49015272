"""Statements of people: only reading, not for ever, not into all the memory; and errors that help."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from sandbox.errors import BadFilter, StoreDamaged, StoreError
from sandbox.model.event import AttemptEnded, TaskCreated
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import EndedTask
from sandbox.store.sqlite import SqliteStore, sql
from tests.unit.sandbox.store.conftest import MakeTask, Write

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"


DOCS = Path(__file__).parents[4] / "docs" / "database.md"
EXAMPLES = [
    statement.strip()
    for block in re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for statement in block.split(";")
    if statement.strip()
]


@pytest.fixture(autouse=True)
def _two_tasks(store: SqliteStore, write: Write, make_task: MakeTask) -> None:
    first = make_task(1, created_ms=1_700_000_000_000)
    over = EndedTask(
        task_id=first.task_id,
        domain="default",
        status=TaskStatus.TIMED_OUT,
        attempt=1,
        ended_ms=1_700_000_003_500,
        error_type="Timeout",
    )
    ended = AttemptEnded(
        time_ms=1_700_000_003_500,
        domain="default",
        task_id=first.task_id,
        attempt=1,
        shepherd_id="s",
        outcome=AttemptOutcome.TIMED_OUT,
        started_ms=1_700_000_001_000,
        signal=9,
        cpu_us=250_000,
    )
    created = TaskCreated(time_ms=1_700_000_000_000, domain="default", task_id=first.task_id, name="n", queue="q")
    write(store, created=[first, make_task(2)], events=[created, ended], ended=[over])


async def test_tasks_view(store: SqliteStore) -> None:
    answer = await store.reader.sql(
        "select status, created, started, ended, seconds, error_type from tasks_view order by created desc"
    )
    assert answer.columns == ["status", "created", "started", "ended", "seconds", "error_type"]
    assert answer.rows[0] == (
        "timed-out",
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:21.000Z",
        "2023-11-14T22:13:23.500Z",
        2.5,
        "Timeout",
    )
    assert answer.rows[1] == ("pending", "1970-01-01T00:00:01.002Z", None, None, None, None)
    assert not answer.truncated


async def test_events_view_and_attempts_view(store: SqliteStore) -> None:
    answer = await store.reader.sql("select seq, time, type, attempt from events_view")
    assert answer.rows == [
        (1, "2023-11-14T22:13:20.000Z", "task-created", 0),
        (2, "2023-11-14T22:13:23.500Z", "attempt-ended", 1),
    ]
    answer = await store.reader.sql("select outcome, started, ended, signal, cpu_seconds from attempts_view")
    assert answer.rows == [("timed-out", "2023-11-14T22:13:21.000Z", "2023-11-14T22:13:23.500Z", 9, 0.25)]


async def test_words_can_be_joined(store: SqliteStore) -> None:
    answer = await store.reader.sql(
        "select word, count(*) from tasks join task_statuses using (status) group by word order by word"
    )
    assert answer.rows == [("pending", 1), ("timed-out", 1)]


@pytest.mark.parametrize("statement", EXAMPLES)
async def test_the_examples_of_the_documentation_run(store: SqliteStore, statement: str) -> None:
    assert (await store.reader.sql(statement)).columns


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


async def test_no_more_rows_than_asked_for(store: SqliteStore) -> None:
    two = await store.reader.sql("select task_id from tasks", limit=2)
    one = await store.reader.sql("select task_id from tasks", limit=1)
    none = await store.reader.sql("select task_id from tasks where false", limit=1)
    assert (len(two.rows), two.truncated) == (2, False)
    assert (len(one.rows), one.truncated) == (1, True)
    assert (none.columns, none.rows, none.truncated) == (["task_id"], [], False)
    endless = await store.reader.sql(f"{ENDLESS} x FROM c", limit=3)
    assert (endless.rows, endless.truncated) == ([(1,), (2,), (3,)], True)


async def test_no_more_bytes_than_fit(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "ANSWER_BYTES", 1_000)
    answer = await store.reader.sql(f"{ENDLESS} substr('{'x' * 100}', 1) FROM c", limit=1_000_000)
    assert (len(answer.rows), answer.truncated) == (10, True)
    with pytest.raises(BadFilter, match="too big"):
        await store.reader.sql("select zeroblob(100000)")


async def test_blobs_are_shown_as_sql_writes_them(store: SqliteStore) -> None:
    answer = await store.reader.sql("select x'00ff', 1.5, null, 'ü'")
    assert answer.rows == [("x'00ff'", 1.5, None, "ü")]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from tasks",
        "update tasks set status = 1",
        "insert into domains (name) values ('x')",
        "replace into domains values (1, 'x')",
        "create table t (a)",
        "create temp table t (a)",
        "drop table tasks",
        "alter table tasks add column x",
        "attach 'other.db' as other",
        "detach main",
        "vacuum",
        "vacuum into 'copy.db'",
        "reindex",
        "analyze",
        "begin",
        "savepoint s",
        "pragma query_only = off",
        "pragma user_version = 7",
        "pragma user_version(7)",
        "pragma journal_mode = delete",
        "pragma journal_mode(delete)",
        "pragma writable_schema = on",
        "pragma wal_checkpoint(truncate)",
        "with x as (select 1) delete from tasks",
        "explain delete from tasks",
        "select load_extension('x')",
    ],
)
async def test_nothing_that_could_change_something(
    store: SqliteStore, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = await store.reader.sql("select * from tasks")
    with pytest.raises(BadFilter) as caught:
        await store.reader.sql(statement)
    assert caught.value.hint
    assert await store.reader.sql("select * from tasks") == before
    assert {path.name for path in tmp_path.iterdir()} == {"state"}


@pytest.mark.parametrize(
    "statement",
    [
        "pragma table_info(tasks)",
        "pragma table_list",
        "pragma integrity_check",
        "pragma user_version",
        "explain query plan select * from tasks",
        "select name from sqlite_schema",
        "values (1), (2)",
        "-- a comment\nselect 1;  ",
        "select json_extract(metadata, '$.name') from events",
    ],
)
async def test_everything_that_reads(store: SqliteStore, statement: str) -> None:
    assert (await store.reader.sql(statement)).rows


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("select nope from tasks", "no such column: nope"),
        ("selec 1", "syntax error"),
        ("select 1; select 2", "one statement"),
        ("select ?", "bindings"),
        ("", ""),
        ("   ", ""),
        ("-- only a comment", ""),
        ("select 'a\0b'", ""),
    ],
)
async def test_what_is_wrong_is_said(store: SqliteStore, statement: str, why: str) -> None:
    with pytest.raises(BadFilter) as caught:
        await store.reader.sql(statement)
    assert why in caught.value.why
    assert caught.value.exit_code == 2


async def test_a_statement_is_stopped_in_time(store: SqliteStore) -> None:
    with pytest.raises(BadFilter, match=r"took longer than 0\.05 s"):
        await store.reader.sql(f"{ENDLESS} max(x) FROM c", seconds=0.05)
    assert (await store.reader.sql("select 1")).rows == [(1,)]


async def test_others_are_answered_meanwhile_and_closing_does_not_wait(store: SqliteStore, make_task: MakeTask) -> None:
    slow = [asyncio.create_task(store.reader.sql(f"{ENDLESS} max(x) FROM c", seconds=3_600)) for _ in range(3)]
    await asyncio.sleep(0)
    assert await store.reader.task(make_task(1).task_id) is not None
    assert await store.reader.counts() == {TaskStatus.TIMED_OUT: 1, TaskStatus.PENDING: 1}
    assert not any(task.done() for task in slow)
    closing = asyncio.get_running_loop().run_in_executor(None, store.close)
    for task in slow:
        with pytest.raises(StoreError, match="closed"):
            await task
    await closing


async def test_a_file_that_is_damaged_meanwhile(store: SqliteStore, database: Path) -> None:
    store.close()
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * (database.stat().st_size - 4096))
    with pytest.raises(StoreDamaged):
        sql.Statements(database).answer("select * from events", 10, 5.0)
