"""Retention: old logs go, by age and by the size of all.

A sweep walks the folder once, and removes at most a thousand logs, the oldest first, so that it never holds
anything up for long; the next one follows soon while there is more to do. Logs that are being written stay.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

EVERY_S = 600.0
AGAIN_S = 5.0
"""After a sweep that had to stop before it was done."""
AT_MOST = 1000


class Rotation:
    """Decides which logs go. `now` gives seconds since the Unix epoch."""

    def __init__(self, root: Path, keep: timedelta | None, max_bytes: int | None, now: Callable[[], float]) -> None:
        self._root = root
        self._keep = keep
        self._max_bytes = max_bytes
        self._now = now
        self._next = 0.0

    def due(self) -> bool:
        """Whether it is time for a sweep; never, where nothing is bounded."""
        return (self._keep is not None or self._max_bytes is not None) and self._now() >= self._next

    def sweep(self, live: set[str]) -> int:
        """Remove what has to go; `live` are names, relative and without extension, to leave alone. How many went."""
        total = 0
        oldest: list[tuple[float, int, str]] = []
        for entry in _logs(self._root):
            name = os.path.relpath(entry.path, self._root).removesuffix(".log")
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted by hand while we walk
            total += found.st_size
            if name in live:
                continue
            heapq.heappush(oldest, (-found.st_mtime, found.st_size, name))
            if len(oldest) > AT_MOST:
                heapq.heappop(oldest)
        gone = 0
        # The heap's order is newest first; the oldest are removed first.
        for age, size, name in sorted(oldest, reverse=True):
            too_old = self._keep is not None and self._now() + age > self._keep.total_seconds()
            too_much = self._max_bytes is not None and total > self._max_bytes
            if not (too_old or too_much):
                break
            self._remove(name)
            total -= size
            gone += 1
        self._next = self._now() + (AGAIN_S if gone == AT_MOST else EVERY_S)
        return gone

    def _remove(self, name: str) -> None:
        path = self._root / name
        for suffix in (".idx", ".log"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        folder = path.parent
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty
            folder = folder.parent


def _logs(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _logs(entry.path)
            elif entry.name.endswith(".log") and entry.is_file(follow_symlinks=False):
                yield entry
