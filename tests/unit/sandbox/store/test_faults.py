"""What SQLite and the system say, in our words."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly
from sandbox.store.sqlite.faults import store_error


class Said(sqlite3.OperationalError):
    """An error with a result code; the real ones can't be made without SQLite."""

    def __init__(self, code: int) -> None:
        super().__init__("what SQLite says")
        self.sqlite_errorcode = code


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Said(sqlite3.SQLITE_FULL), StoreFull),
        (Said(sqlite3.SQLITE_READONLY), StoreReadOnly),
        (Said(sqlite3.SQLITE_READONLY_DBMOVED), StoreReadOnly),
        (Said(sqlite3.SQLITE_CANTOPEN), StoreReadOnly),
        (Said(sqlite3.SQLITE_CORRUPT), StoreDamaged),
        (Said(sqlite3.SQLITE_NOTADB), StoreDamaged),
        (Said(sqlite3.SQLITE_IOERR_FSYNC), StoreDamaged),
        (Said(sqlite3.SQLITE_IOERR_WRITE), StoreDamaged),
        (Said(sqlite3.SQLITE_CONSTRAINT_UNIQUE), StoreError),
        (Said(sqlite3.SQLITE_NOMEM), StoreError),
        (sqlite3.ProgrammingError("no code at all"), StoreError),
        (OSError(errno.ENOSPC, "no space"), StoreFull),
        (OSError(errno.EDQUOT, "quota"), StoreFull),
        (OSError(errno.EROFS, "read-only"), StoreReadOnly),
        (PermissionError(errno.EACCES, "denied"), StoreReadOnly),
        (OSError(errno.EIO, "input/output"), StoreDamaged),
    ],
)
def test_each_has_its_kind_and_says_what_to_do(error: sqlite3.Error | OSError, kind: type, tmp_path: Path) -> None:
    told = store_error(error, tmp_path / "azolla.db", "writing to it")
    assert type(told) is kind
    assert told.subject == str(tmp_path / "azolla.db")
    assert told.what.endswith("writing to it")
    assert str(error) in told.why
    assert told.hint
    assert told.exit_code == 7


def test_an_unknown_outcome_is_said(tmp_path: Path) -> None:
    told = store_error(Said(sqlite3.SQLITE_IOERR_FSYNC), tmp_path / "azolla.db", "writing to it")
    assert "not known" in told.why


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_CANTOPEN])
def test_trouble_on_a_disk_without_space_is_put_down_to_that(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert isinstance(store_error(Said(code), tmp_path / "azolla.db", "opening it"), StoreFull)
    gone = store_error(Said(code), tmp_path / "gone" / "azolla.db", "opening it")
    assert isinstance(gone, StoreFull)


def test_a_folder_that_is_gone_is_not_full(tmp_path: Path) -> None:
    told = store_error(Said(sqlite3.SQLITE_CANTOPEN), tmp_path / "gone" / "azolla.db", "reading it")
    assert isinstance(told, StoreReadOnly)
