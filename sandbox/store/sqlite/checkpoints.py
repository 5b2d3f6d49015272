"""Moving committed pages from the write-ahead log into the database file, and keeping the log at its size.

The log starts again from its beginning after a moment at which everything in it was moved. Overwriting it in
place is about twice as fast as growing it, so it gets its full size at once and is never cut.

Only the connection that writes moves pages, between two commits. A second one that does so at the same time can
damage the file with every SQLite before 3.51.3 (sqlite.org/wal.html, "The WAL-Reset Bug").
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

LOG_BYTES = 16 * 1024 * 1024
"""The size of the log file from the start."""
BUSY_BYTES = 12 * 1024 * 1024
"""After roughly so much, pages are moved even if commits have to wait for it."""
IDLE_BYTES = 1024 * 1024
"""After roughly so much, pages are moved as soon as nothing has come for `IDLE_S`."""
IDLE_S = 0.05

_PAGE_BYTES = 4096
_FRAME_BYTES = _PAGE_BYTES + 24
_COMMIT_BYTES = 40 * 1024
"""What a commit adds to the log however little it has, as measured; its payload adds half as much again as it has."""


def log_of(database: Path) -> Path:
    """SQLite's name for the write-ahead log of a file."""
    return database.with_name(f"{database.name}-wal")


def grow_log(connection: sqlite3.Connection, database: Path) -> None:
    """Give the log its full size at once, if there is room to spare. About 15 ms; OSError if the disk fails.

    SQLite reads the log up to the first frame that isn't valid, so zeros at its end mean nothing to it
    (sqlite.org/fileformat2.html, section 4). Nobody may commit meanwhile: the transaction keeps others out.
    """
    if shutil.disk_usage(database.parent).free < 16 * LOG_BYTES:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        with log_of(database).open("ab") as log:
            zeros = bytes(1024 * 1024)
            while (missing := LOG_BYTES - log.tell()) > 0:
                log.write(zeros[:missing])
            log.flush()
            os.fdatasync(log.fileno())
    finally:
        connection.execute("ROLLBACK")


class Checkpoints:
    """Knows when one is due. Belongs to the writer's thread, but for the figures.

    An error here loses nothing: the log keeps everything, and the next commit tells whether it can be written.
    """

    def __init__(self, connection: sqlite3.Connection, database: Path) -> None:
        self._connection = connection
        self._log = log_of(database)
        self._waiting_bytes = 0
        self.count = 0

    def committed(self, size: int) -> None:
        """A commit with so much payload is done, and its groups have been answered."""
        self._waiting_bytes += _COMMIT_BYTES + size * 3 // 2
        if self._waiting_bytes >= BUSY_BYTES:
            self._move()

    def idle_s(self) -> float | None:
        """How long to wait for work before `idle` is to be called; None: for ever."""
        return IDLE_S if self._waiting_bytes >= IDLE_BYTES else None

    def idle(self) -> None:
        """Nothing has come for a while."""
        self._move()

    def log_bytes(self) -> int:
        """Size of the log file."""
        try:
            return self._log.stat().st_size
        except OSError:
            # It is made by the first commit, and removed by the last one who closes.
            return 0

    def _move(self) -> None:
        self._waiting_bytes = 0
        self.count += 1
        try:
            # Passive: it waits for nobody; what a reader still needs is moved the next time.
            _busy, pages, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            # A full or failing disk: see above.
            return
        self._waiting_bytes = max(0, pages - moved) * _FRAME_BYTES
