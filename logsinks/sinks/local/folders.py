"""Files below a root, reached without following a link, whatever stands in between."""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from pathlib import Path

_KEPT = 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class Folders:
    """Open folders below one root, the last used ones kept open. Makes what is missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: OrderedDict[str, int] = OrderedDict()

    def open_file(self, name: str, flags: int, mode: int = 0o640) -> int:
        """Open a file by its name relative to the root. OSError; ELOOP where a link stands in the way."""
        folder, _, last = name.rpartition("/")
        flags |= os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(last, flags, mode, dir_fd=self._folder(folder))
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                raise
            # Retention has removed the empty folder since we opened it.
            self._forget(folder)
            return os.open(last, flags, mode, dir_fd=self._folder(folder))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        folder, _, last = name.rpartition("/")
        try:
            fd = self._walk(folder, make=False)
        except FileNotFoundError:
            return
        try:
            os.unlink(last, dir_fd=fd)
        except FileNotFoundError:
            return
        finally:
            os.close(fd)

    def sync(self, names: set[str]) -> None:
        """Sync folders, so that the names in them survive a power cut."""
        for name in names:
            os.fsync(self._folder(name))

    def close(self) -> None:
        """Close what is held open."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def _folder(self, name: str) -> int:
        fd = self._open.get(name)
        if fd is not None:
            self._open.move_to_end(name)
            return fd
        fd = self._open[name] = self._walk(name, make=True)
        if len(self._open) > _KEPT:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)
        return fd

    def _forget(self, name: str) -> None:
        fd = self._open.pop(name, None)
        if fd is not None:
            os.close(fd)

    def _walk(self, name: str, *, make: bool) -> int:
        if make:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        # The root itself may be a link: that is the user's own choice.
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in filter(None, name.split("/")):
            try:
                below = os.open(part, _FOLDER, dir_fd=fd)
            except FileNotFoundError:
                if not make:
                    os.close(fd)
                    raise
                with contextlib.suppress(FileExistsError):  # another sink with the same root was faster
                    os.mkdir(part, 0o750, dir_fd=fd)
                below = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = below
        return fd
