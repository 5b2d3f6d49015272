"""What was written and may still be lost by a power cut."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_FEW = 8
"""So many files are synced one by one; for more, the whole file system at once is cheaper."""


class Unsynced:
    """The names of logs, relative to the root and without extension, that were written since the last sync."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: set[str] = set()

    def add(self, name: str) -> None:
        """A log was written."""
        self._names.add(name)

    def take(self) -> set[str]:
        """All of them; from now on it gathers anew."""
        names, self._names = self._names, set()
        return names

    def sync(self, names: set[str]) -> None:
        """Sync these logs and their folders. OSError, and then nothing is known to be safe."""
        if not names:
            return
        if len(names) > _FEW and _sync_file_system(self._root):
            return
        folders = {(self._root / name).parent for name in names}
        for path in [*(self._root / f"{name}{suffix}" for name in names for suffix in (".log", ".idx")), *folders]:
            _sync_path(path)


def _sync_path(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # no index, or removed meanwhile
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_file_system(root: Path) -> bool:
    """Whether the system could; Linux has a call that Python doesn't offer."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if syncfs(fd):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(fd)
    return True
