"""Syncs files in a thread of its own, so that reading from the tasks goes on meanwhile.

One batch at a time: whatever gathers while one is synced goes into the next (group commit).
"""

from __future__ import annotations

import os
import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Batch:
    """What is synced together, and what is reported when it is done."""

    __slots__ = ("closing", "failed", "report", "syncing")

    def __init__(self, syncing: Sequence[int], closing: Sequence[int], report: Any) -> None:
        self.syncing = syncing
        self.closing = closing
        self.report = report
        self.failed = ""
        """What the system said, if it couldn't sync."""


class Syncer:
    """The thread. `fileno` becomes readable when a batch is done; then ask :meth:`done`."""

    def __init__(self) -> None:
        self._given: deque[Batch | None] = deque()
        self._finished: deque[Batch] = deque()
        self._there = threading.Semaphore(0)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self.busy = False
        """A batch is being synced."""
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """For selectors."""
        return self._wake_read

    def submit(self, batch: Batch) -> None:
        """Sync a batch; only when not busy."""
        self.busy = True
        self._given.append(batch)
        self._there.release()

    def done(self) -> Batch | None:
        """The batch that is done, or None."""
        try:
            os.read(self._wake_read, 64)
        except BlockingIOError:
            return None
        batch = self._finished.popleft()
        self.busy = False
        return batch

    def stop(self) -> None:
        """End the thread after what it has."""
        self._given.append(None)
        self._there.release()
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        while True:
            self._there.acquire()
            batch = self._given.popleft()
            if batch is None:
                return
            for fd in batch.syncing:
                try:
                    # A folder can't be synced by data alone everywhere; for a file fsync would write its times too.
                    os.fdatasync(fd)
                except OSError as error:
                    batch.failed = error.strerror or str(error)
            for fd in batch.closing:
                os.close(fd)
            self._finished.append(batch)
            os.write(self._wake_write, b"1")
