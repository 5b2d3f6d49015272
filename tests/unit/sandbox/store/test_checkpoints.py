"""The log keeps its size however much is committed, and checkpoints lose nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.store.contract import Durability
from sandbox.store.sqlite import SqliteStore, checkpoints
from sandbox.store.sqlite.checkpoints import Checkpoints, grow_log, log_of
from tests.unit.sandbox.store.conftest import MakeTask, Write


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE t (x)")
    yield connection
    connection.close()


def test_the_log_stays_within_bounds_under_many_commits(
    store: SqliteStore, write: Write, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "BUSY_BYTES", 400_000)
    written = 0
    for number in range(200):
        task = make_task(number, args=f'["{"x" * 50_000}"]')
        written += len(task.args)
        assert write(store, created=[task]) is None
    stats = store.stats()
    assert stats.checkpoints > 10
    assert stats.wal_bytes < written / 4
    assert len(list(store.load_unfinished())) == 200


class TestWhen:
    @pytest.fixture
    def mover(self, writer: sqlite3.Connection, tmp_path: Path) -> Checkpoints:
        return Checkpoints(writer, tmp_path / "x.db")

    def test_not_after_a_little(self, mover: Checkpoints) -> None:
        mover.committed(1_000)
        assert (mover.count, mover.idle_s()) == (0, None)

    def test_after_some_when_nothing_comes(self, mover: Checkpoints) -> None:
        mover.committed(checkpoints.IDLE_BYTES)
        assert (mover.count, mover.idle_s()) == (0, checkpoints.IDLE_S)
        mover.idle()
        assert (mover.count, mover.idle_s()) == (1, None)

    def test_after_much_at_once(self, mover: Checkpoints) -> None:
        mover.committed(checkpoints.BUSY_BYTES)
        assert (mover.count, mover.idle_s()) == (1, None)

    def test_again_for_what_a_reader_still_needs(self, mover: Checkpoints, tmp_path: Path) -> None:
        writer = mover._connection
        reader = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        writer.execute("INSERT INTO t VALUES (zeroblob(3000000))")
        mover.committed(checkpoints.BUSY_BYTES)
        assert mover.idle_s() == checkpoints.IDLE_S
        reader.execute("COMMIT")
        reader.close()
        mover.idle()
        assert mover.idle_s() is None
        log = mover.log_bytes()
        writer.execute("INSERT INTO t VALUES (1)")
        assert mover.log_bytes() == log, "the log starts again from its beginning"

    def test_an_error_is_none(self, mover: Checkpoints) -> None:
        mover._connection.execute("BEGIN IMMEDIATE")
        mover._connection.execute("INSERT INTO t VALUES (1)")
        mover.committed(checkpoints.BUSY_BYTES)
        mover._connection.execute("ROLLBACK")
        assert mover.count == 1

    def test_there_is_no_log_before_the_first_commit(self, tmp_path: Path) -> None:
        connection = sqlite3.connect(tmp_path / "y.db")
        assert Checkpoints(connection, tmp_path / "y.db").log_bytes() == 0
        connection.close()


def test_growing_changes_nothing_that_is_in_the_log(writer: sqlite3.Connection, tmp_path: Path) -> None:
    writer.execute("INSERT INTO t VALUES ('kept')")
    grow_log(writer, tmp_path / "x.db")
    assert log_of(tmp_path / "x.db").stat().st_size == checkpoints.LOG_BYTES
    # As after a power cut: the two files as they are, without the index in memory.
    shutil.copy(tmp_path / "x.db", tmp_path / "y.db")
    shutil.copy(log_of(tmp_path / "x.db"), log_of(tmp_path / "y.db"))
    copy = sqlite3.connect(tmp_path / "y.db")
    assert copy.execute("SELECT x FROM t").fetchall() == [("kept",)]
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()
    writer.execute("INSERT INTO t VALUES ('after')")
    grow_log(writer, tmp_path / "x.db")
    assert writer.execute("SELECT count(*) FROM t").fetchone() == (2,)


def test_no_log_is_grown_where_there_is_little_room(
    writer: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    before = log_of(tmp_path / "x.db").stat().st_size
    grow_log(writer, tmp_path / "x.db")
    assert log_of(tmp_path / "x.db").stat().st_size == before


@pytest.mark.parametrize("durability", list(Durability))
def test_closing_leaves_one_file(database: Path, durability: Durability, write: Write, make_task: MakeTask) -> None:
    store = SqliteStore(database, durability)
    store.open()
    write(store, created=[make_task(1)])
    store.close()
    assert sorted(path.name for path in database.parent.iterdir()) == ["azolla.db", "azolla.lock"]
