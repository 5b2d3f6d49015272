"""One orchestrator a database: a lock on a file beside it, held as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sandbox.errors import StoreInUse
from sandbox.store.sqlite.faults import store_error


class DatabaseLock:
    """An flock: the system takes it back however the process ends, so no stale lock is ever left."""

    def __init__(self, path: Path, database: Path) -> None:
        self._path = path
        self._database = database
        self._fd = -1

    def take(self) -> None:
        """StoreInUse with the pid of the owner; StoreReadOnly or StoreFull if the file can't be made."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise store_error(error, self._database, "opening it") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(fd, 32).decode("ascii", "replace").strip()
            os.close(fd)
            raise StoreInUse(
                "another orchestrator has this database open",
                subject=str(self._database),
                why=f"the process {owner or 'that holds it'} has locked {self._path}",
                hint="stop that one first (azolla-local down), or choose another environment with --env",
            ) from error
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(fd)
            raise store_error(error, self._database, "opening it") from error
        self._fd = fd

    def release(self) -> None:
        """Let go; harmless if it isn't held. The file stays: removing it would let two owners in."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
