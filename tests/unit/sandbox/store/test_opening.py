"""What a file can be wrong in, each with its own error, and what stays untouched then."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.errors import (
    NotSupported,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreInUse,
    StoreReadOnly,
    StoreTooNew,
)
from sandbox.store.contract import Durability
from sandbox.store.sqlite import SqliteStore, opening, schema
from tests.unit.sandbox.store.conftest import MakeTask, Write


def refusal(database: Path) -> StoreError:
    """What opening it says; the lock is free again afterwards."""
    kinds: list[StoreError] = []
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            SqliteStore(database, Durability.ASYNC).open()
        kinds.append(caught.value)
    first, second = kinds
    assert type(first) is type(second)
    assert first.what
    assert first.hint
    assert first.subject == str(database)
    return first


@pytest.fixture
def folder(database: Path) -> Path:
    database.parent.mkdir()
    return database.parent


class TestNew:
    def test_a_new_one_is_made_with_its_folder(self, store: SqliteStore, database: Path) -> None:
        connection = sqlite3.connect(database)
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
        assert list(store.load_unfinished()) == []

    def test_an_empty_file_is_a_new_one(self, database: Path, folder: Path) -> None:
        database.touch()
        store = SqliteStore(database, Durability.ASYNC)
        store.open()
        store.close()
        assert database.stat().st_size > 0

    def test_one_left_before_its_first_migration_is_a_new_one(self, database: Path, folder: Path) -> None:
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        assert database.stat().st_size > 0
        store = SqliteStore(database, Durability.ASYNC)
        store.open()
        store.close()

    @pytest.mark.parametrize("durability", list(Durability))
    def test_every_durability_keeps_what_was_closed(
        self, database: Path, durability: Durability, write: Write, make_task: MakeTask
    ) -> None:
        for number in range(3):
            store = SqliteStore(database, durability)
            store.open()
            assert len(list(store.load_unfinished())) == number
            assert write(store, created=[make_task(number)]) is None
            store.close()

    def test_durability_is_what_sqlite_is_told(self, database: Path) -> None:
        database.parent.mkdir()
        told = {}
        for durability in Durability:
            connection = opening.open_writer(database.with_name(f"{durability}.db"), durability)
            told[durability] = connection.execute("PRAGMA synchronous").fetchone()[0]
            connection.close()
        assert told == {Durability.FULL: 2, Durability.NORMAL: 1, Durability.ASYNC: 0}

    def test_the_log_has_its_size_from_the_start(self, database: Path) -> None:
        store = SqliteStore(database, Durability.FULL)
        store.open()
        before = store.stats().wal_bytes
        store.close()
        assert before >= 16 * 1024 * 1024
        assert not database.with_name("azolla.db-wal").exists()

    def test_an_old_sqlite_is_named(self, database: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
        with pytest.raises(NotSupported, match="too old") as caught:
            SqliteStore(database).open()
        assert "3.38.0" in caught.value.why
        assert not database.exists()


class TestRefused:
    @pytest.mark.parametrize("content", [b"hello\n" * 1000, b"SQLite format 3\0" + b"x" * 5000, b"\0" * 4096])
    def test_no_database(self, database: Path, folder: Path, content: bytes) -> None:
        database.write_bytes(content)
        error = refusal(database)
        assert isinstance(error, StoreDamaged)
        assert database.read_bytes() == content

    def test_a_foreign_one(self, database: Path, folder: Path) -> None:
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE photos (name)")
        connection.commit()
        connection.close()
        before = database.read_bytes()
        error = refusal(database)
        assert isinstance(error, StoreForeign)
        assert database.read_bytes() == before

    def test_one_that_says_it_is_foreign(self, database: Path, folder: Path) -> None:
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA application_id = 1196444487")
        connection.close()
        assert isinstance(refusal(database), StoreForeign)

    def test_one_of_a_later_version(self, store: SqliteStore, database: Path) -> None:
        store.close()
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        connection.close()
        error = refusal(database)
        assert isinstance(error, StoreTooNew)
        assert str(schema.SCHEMA_VERSION + 1) in error.why

    def test_one_with_a_hole(self, store: SqliteStore, database: Path) -> None:
        store.close()
        with database.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(database.stat().st_size - 4096))
        assert isinstance(refusal(database), StoreDamaged)

    def test_one_that_another_process_has(self, database: Path) -> None:
        script = (
            "import sys; from pathlib import Path\n"
            "from sandbox.store.sqlite import SqliteStore\n"
            "SqliteStore(Path(sys.argv[1])).open(); print('open', flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "open\n"
            error = refusal(database)
            assert isinstance(error, StoreInUse)
            assert str(owner.pid) in error.why
            owner.kill()
        store = SqliteStore(database)
        store.open()
        store.close()

    def test_a_second_one_in_the_same_process(self, store: SqliteStore, database: Path) -> None:
        error = refusal(database)
        assert isinstance(error, StoreInUse)
        assert str(os.getpid()) in error.why


def _mount(folder: Path, options: str) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root on Linux can mount a file system for this")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a tmpfs can't be mounted here: {done.stderr.strip()}")


class TestReadOnly:
    """As root, permissions stop nothing; a read-only file system stops everybody."""

    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        folder = tmp_path / "disk"
        folder.mkdir()
        _mount(folder, "size=32m")
        yield folder
        subprocess.run(["umount", "--lazy", str(folder)], check=True)

    def test_a_folder(self, disk: Path) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert isinstance(refusal(disk / "state" / "azolla.db"), StoreReadOnly)
        assert isinstance(refusal(disk / "azolla.db"), StoreReadOnly)

    def test_a_file_system_with_a_database(self, disk: Path) -> None:
        store = SqliteStore(disk / "azolla.db", Durability.ASYNC)
        store.open()
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert isinstance(refusal(disk / "azolla.db"), StoreReadOnly)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    @pytest.mark.parametrize("which", ["folder", "file"])
    def test_permissions(self, store: SqliteStore, database: Path, which: str) -> None:
        store.close()
        target = database if which == "file" else database.parent
        if which == "folder":
            database.with_suffix(".lock").unlink()
        mode = target.stat().st_mode
        target.chmod(0o555 if which == "folder" else 0o444)
        try:
            assert isinstance(refusal(database), StoreReadOnly)
        finally:
            target.chmod(mode)
