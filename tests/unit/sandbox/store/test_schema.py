"""Tables, words, views, and the way that statements take through the indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.model.event import EventType
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.store.contract import Durability, TaskFilter
from sandbox.store.sqlite import SqliteStore, answers, loading, queries, rows, schema, statements
from sandbox.store.sqlite.views import VIEWS

DOCS = Path(__file__).parents[4] / "docs" / "database.md"


@pytest.fixture
def connection(store: SqliteStore) -> Iterator[sqlite3.Connection]:
    """A second one, as a person might open it."""
    connection = sqlite3.connect(store.database, isolation_level=None)
    yield connection
    connection.close()


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize(
    ("table", "number", "enum"),
    [
        ("task_statuses", "status", TaskStatus),
        ("event_types", "type", EventType),
        ("attempt_outcomes", "outcome", AttemptOutcome),
    ],
)
def test_every_number_has_its_word(connection: sqlite3.Connection, table: str, number: str, enum: type) -> None:
    found = dict(connection.execute(f"SELECT {number}, word FROM {table}"))
    assert found == {int(each): each.word for each in enum}  # type: ignore[attr-defined]


def test_words_and_views_are_mended_at_open(store: SqliteStore, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE task_statuses SET word = 'old' WHERE status = 1")
    connection.execute("DROP VIEW tasks_view")
    connection.execute("DROP VIEW events_view")
    connection.execute("CREATE VIEW events_view AS SELECT 1")
    store.close()
    again = SqliteStore(store.database, Durability.ASYNC)
    again.open()
    found = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'"))
    assert found == VIEWS
    assert connection.execute("SELECT word FROM task_statuses WHERE status = 1").fetchone() == ("pending",)
    again.close()


def test_the_migration_is_recorded_once(store: SqliteStore, connection: sqlite3.Connection) -> None:
    store.close()
    again = SqliteStore(store.database, Durability.ASYNC)
    again.open()
    again.close()
    applied = connection.execute("SELECT migration_set, name FROM _sqlite_migrations").fetchall()
    assert applied == [("azolla-local", "0001_ground")]


def test_a_migration_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(tmp_path / "azolla.db", isolation_level=None)

    def broken(_: object) -> None:
        ground(_)
        raise RuntimeError("power cut")

    ground = schema._ground
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_ground", broken)
        with pytest.raises(RuntimeError):
            schema.migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")] == [
        "_sqlite_migrations"
    ]
    schema.migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    connection.close()


def test_what_is_written_and_read_are_columns(connection: sqlite3.Connection) -> None:
    tasks = set(columns(connection, "tasks"))
    assert set(answers.TASK_COLUMNS) == tasks - {"number"}
    assert set(rows.CREATED_COLUMNS) | set(rows.CHANGED_COLUMNS) | set(rows.ENDED_COLUMNS) == tasks - {"number"}
    assert set(rows.EVENT_COLUMNS) == set(columns(connection, "events")) - {"seq"}
    assert list(answers.EVENT_COLUMNS) == columns(connection, "events")
    assert list(answers.SHEPHERD_COLUMNS) == columns(connection, "shepherds")
    assert list(answers.LOG_COLUMNS) == columns(connection, "logs")


def plan(connection: sqlite3.Connection, statement: str, count: int) -> list[str]:
    parameters = ["[]"] * count
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


@pytest.mark.parametrize("kind", ["changed", "ended"])
def test_updates_look_tasks_up(connection: sqlite3.Connection, kind: str) -> None:
    (statement,) = (each for each in statements._BODY if f"new.{kind}" in each)
    steps = plan(connection, statement.replace(f"new.{kind}", "?"), 1)
    assert any("SEARCH tasks USING" in step and "tasks_task_id" in step for step in steps), steps
    assert not any("SCAN tasks" in step for step in steps), steps


@pytest.mark.parametrize(
    ("statement", "count", "expected"),
    [
        (queries.TASK, 1, "SEARCH tasks USING INDEX tasks_task_id (task_id=?)"),
        (queries.IDS, 3, "SEARCH tasks USING COVERING INDEX tasks_task_id (task_id>? AND task_id<?)"),
        (queries.EVENTS_OF_TASK, 1, "SEARCH events USING INDEX events_task_id (task_id=?)"),
        (queries.EVENTS_AFTER, 2, "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"),
        (queries.LAST_SEQ, 0, "SEARCH events"),
        (queries.LOGS, 1, "SEARCH logs USING PRIMARY KEY (task_id=?)"),
        (queries.COUNTS, 0, "SEARCH tasks USING COVERING INDEX tasks_ended"),
        (loading._UNFINISHED, 0, "SCAN tasks USING INDEX tasks_unfinished"),
    ],
)
def test_questions_go_through_an_index(
    connection: sqlite3.Connection, statement: str, count: int, expected: str
) -> None:
    steps = plan(connection, statement, count)
    assert any(step.startswith(expected) for step in steps), steps


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (TaskFilter(), "SCAN tasks"),
        (TaskFilter(domain="d"), "SEARCH tasks USING INDEX tasks_domain (domain=?)"),
        (TaskFilter(statuses=[TaskStatus.PENDING]), "SCAN tasks USING INDEX tasks_unfinished"),
        (TaskFilter(statuses=[TaskStatus.FAILED]), "SEARCH tasks USING INDEX tasks_ended (status=?)"),
        (
            TaskFilter(statuses=[TaskStatus.FAILED, TaskStatus.DEAD], domain="d"),
            "SEARCH tasks USING INDEX tasks_ended (status=? AND domain=?)",
        ),
        (TaskFilter(statuses=[TaskStatus.SUCCEEDED]), "SCAN tasks"),
    ],
)
def test_lists_go_through_the_right_index(connection: sqlite3.Connection, which: TaskFilter, expected: str) -> None:
    query = queries.tasks(which, None, 10)
    steps = plan(connection, query.statement, len(query.parameters))
    assert expected in steps
    sorts = any("TEMP B-TREE" in step for step in steps)
    assert sorts == ("tasks_ended" in expected), "only rare statuses are sorted"


def test_every_table_view_and_column_is_documented(connection: sqlite3.Connection) -> None:
    text = DOCS.read_text(encoding="utf-8")
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view', 'index')")
        if not name.startswith(("sqlite_", "_sqlite", "idx__sqlite"))
    ]
    assert len(names) > 15
    missing = [name for name in names if f"`{name}`" not in text]
    missing += [
        f"{table}.{column}"
        for table in ("tasks", "events", "logs", "shepherds", "domains", "idempotency")
        for column in columns(connection, table)
        if f"`{column}`" not in text
    ]
    assert not missing
