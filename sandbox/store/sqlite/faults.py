"""What SQLite says, in our words: which kind of :class:`StoreError` it is, and what to do about it."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from sandbox.errors import StoreDamaged, StoreError, StoreFull, StoreReadOnly

_NO_SPACE_BYTES = 256 * 1024
"""With less free space than this, an I/O error is put down to the full disk: growing the write-ahead log or its
index fails with one where a plain write would say that the disk is full."""

_FULL = {"SQLITE_FULL"}
_READ_ONLY = {"SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN"}
_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_DISK = {"SQLITE_IOERR"}


def store_error(error: sqlite3.Error | OSError | OverflowError, database: Path, doing: str) -> StoreError:
    """The error to show for what happened while `doing` (a participle: "writing to the database")."""
    kind = _kind(error)
    subject = str(database)
    if kind in _FULL or (kind in _DISK | {"SQLITE_CANTOPEN"} and _no_space(database)):
        return StoreFull(
            f"no space is left for the database while {doing}",
            subject=subject,
            why=str(error),
            hint=f"make room on the disk of {database.parent} (df {database.parent}); nothing acknowledged is lost",
        )
    if kind in _READ_ONLY:
        return StoreReadOnly(
            f"the database can't be written while {doing}",
            subject=subject,
            why=str(error),
            hint=f"give your user the right to write in {database.parent}, or choose another state folder",
        )
    if kind in _DAMAGED:
        return StoreDamaged(
            f"the database is not intact, noticed while {doing}",
            subject=subject,
            why=str(error),
            hint="restore a backup, or move the file away and start anew; docs/database.md tells how",
        )
    if kind in _DISK:
        return StoreDamaged(
            f"the disk failed while {doing}",
            subject=subject,
            why=f"{error}; whether the last commit is on disk is not known",
            hint="look at the system's log (dmesg) for errors of the disk, then start the orchestrator again",
        )
    return StoreError(
        f"the database refused something while {doing}",
        subject=subject,
        why=f"{kind}: {error}" if kind else str(error),
        hint="this is a mistake of ours: please report it with this message",
    )


def closed(database: Path) -> StoreError:
    """The error for whoever comes before `open` or after `close`."""
    return StoreError(
        "the database is closed",
        subject=str(database),
        why="it was not opened yet, or the orchestrator is stopping",
        hint="try again once the orchestrator is up",
    )


def _kind(error: sqlite3.Error | OSError | OverflowError) -> str:
    """The primary result code by name, such as SQLITE_IOERR; errors of the system by their nearest."""
    if isinstance(error, OSError):
        if error.errno in _ERRNO_FULL:
            return "SQLITE_FULL"
        if error.errno in _ERRNO_READ_ONLY:
            return "SQLITE_READONLY"
        return "SQLITE_IOERR"
    # Errors that the Python module raises by itself carry no code.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return ""
    return _PRIMARY.get(code & 0xFF, "")


def _no_space(database: Path) -> bool:
    try:
        return shutil.disk_usage(database.parent).free < _NO_SPACE_BYTES
    except OSError:
        # The folder is gone: then the disk is not what is full.
        return False


_ERRNO_FULL = {errno.ENOSPC, errno.EDQUOT}
_ERRNO_READ_ONLY = {errno.EPERM, errno.EACCES, errno.EROFS}

_PRIMARY: dict[int, str] = {
    3: "SQLITE_PERM",
    5: "SQLITE_BUSY",
    7: "SQLITE_NOMEM",
    8: "SQLITE_READONLY",
    9: "SQLITE_INTERRUPT",
    10: "SQLITE_IOERR",
    11: "SQLITE_CORRUPT",
    13: "SQLITE_FULL",
    14: "SQLITE_CANTOPEN",
    18: "SQLITE_TOOBIG",
    19: "SQLITE_CONSTRAINT",
    20: "SQLITE_MISMATCH",
    23: "SQLITE_AUTH",
    26: "SQLITE_NOTADB",
}
"""Source: sqlite.org/rescode.html; the low byte of an extended code is its primary one."""
