"""The thread that owns the write connection and commits in groups.

While one commit runs, groups queue up; the next commit takes them all. When idle, a group is committed at once.

After a failed commit the state that later groups build on is gone. So every group that is put before `resume`,
which the store calls when the state is read anew, fails with the same error.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from sandbox.errors import StoreError
from sandbox.store.contract import StoreStats
from sandbox.store.sqlite import statements
from sandbox.store.sqlite.checkpoints import Checkpoints
from sandbox.store.sqlite.faults import store_error
from sandbox.store.sqlite.rows import Encoded, Parcel

COMMIT_BYTES = 256 * 1024 * 1024
"""A commit takes no further group once it has this much."""

Done = Callable[[StoreError | None], None]
Work = Callable[[sqlite3.Connection], int]


class _Group(NamedTuple):
    content: Encoded
    done: Done
    generation: int


class _Call(NamedTuple):
    """Something else to do on the connection, between two commits."""

    work: Work
    result: Future[int]


class _Stop:
    """The last thing in the queue."""


class Writer:
    """Started once, stopped once. `put`, `call` and `resume` may be called by any thread."""

    def __init__(self, connection: sqlite3.Connection, database: Path) -> None:
        self._connection = connection
        self._database = database
        self._checkpoints = Checkpoints(connection, database)
        self._queue: SimpleQueue[_Group | _Call | _Stop] = SimpleQueue()
        self._held: _Group | _Call | _Stop | None = None
        """Taken from the queue, and kept for after the next commit."""
        self._generation = 0
        self._failed_generation = -1
        self._failure = StoreError("no write has failed")
        self._commits = self._groups = self._rows = self._failures = 0
        self._commit_s = self._last_commit_s = 0.0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, content: Encoded, done: Done) -> None:
        """Queue a group."""
        self._queue.put(_Group(content, done, self._generation))

    def call(self, work: Work) -> int:
        """Have the thread do something with the connection, and wait for it. StoreError if that fails."""
        result: Future[int] = Future()
        self._queue.put(_Call(work, result))
        return result.result()

    def resume(self) -> None:
        """The state is read anew: groups put from now on build on it, and are tried again after a failure."""
        self._generation += 1

    def stop(self) -> None:
        """Commit everything that is queued, then end the thread."""
        self._queue.put(_Stop())
        self._thread.join()

    def stats(self) -> StoreStats:
        return StoreStats(
            commits=self._commits,
            groups=self._groups,
            rows=self._rows,
            failures=self._failures,
            waiting_groups=self._queue.qsize(),
            commit_s=self._commit_s,
            last_commit_s=self._last_commit_s,
            checkpoints=self._checkpoints.count,
            wal_bytes=self._checkpoints.log_bytes(),
        )

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            item, self._held = self._held, None
            match item or self._next():
                case None:
                    self._checkpoints.idle()
                case _Group() as group:
                    self._commit(self._with_followers(group))
                case _Call() as call:
                    self._do(call)
                case _Stop():
                    return

    def _next(self) -> _Group | _Call | _Stop | None:
        """What has come, or comes; None if there is time for something else."""
        try:
            return self._queue.get(timeout=self._checkpoints.idle_s())
        except Empty:
            return None

    def _with_followers(self, first: _Group) -> list[_Group]:
        """That group and those queued behind it which can share its commit."""
        batch = [first]
        size = first.content.size
        changed_ids = first.content.changed_ids
        while size < COMMIT_BYTES:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if not isinstance(item, _Group) or not changed_ids.isdisjoint(item.content.changed_ids):
                self._held = item
                break
            batch.append(item)
            size += item.content.size
            changed_ids |= item.content.changed_ids
        return batch

    def _commit(self, batch: list[_Group]) -> None:
        live = [group for group in batch if group.generation > self._failed_generation]
        if len(live) < len(batch):
            for group in batch:
                if group.generation <= self._failed_generation:
                    _answer(group.done, self._failure)
            if not live:
                return
        began = time.perf_counter()
        try:
            few = live[0].content.few if len(live) == 1 else None
            if few is not None:
                statements.commit_few(self._connection, few)
            else:
                statements.commit(self._connection, [parcel for group in live for parcel in _parcels(group.content)])
        except statements.UNKEEPABLE as error:
            self._failed_generation = max(group.generation for group in live)
            self._failure = store_error(error, self._database, "writing to it")
            self._failures += 1
            for group in live:
                _answer(group.done, self._failure)
            return
        self._last_commit_s = time.perf_counter() - began
        self._commit_s += self._last_commit_s
        self._commits += 1
        self._groups += len(live)
        size = 0
        for group in live:
            _answer(group.done, None)
            self._rows += group.content.rows
            size += group.content.size
        self._checkpoints.committed(size)

    def _do(self, call: _Call) -> None:
        try:
            call.result.set_result(call.work(self._connection))
        except sqlite3.Error as error:
            call.result.set_exception(store_error(error, self._database, "writing to it"))
        except (ValueError, OverflowError) as error:
            call.result.set_exception(StoreError("this can't be kept", why=f"it is no text in UTF-8: {error}"))


def _parcels(content: Encoded) -> list[Parcel]:
    return content.parcels if content.few is None else content.few.parcels()


def _answer(done: Done, error: StoreError | None) -> None:
    """Tell it; the thread goes on whatever the one who is told makes of it."""
    try:
        done(error)
    except Exception as mistake:  # noqa: BLE001 - reported where Python reports what a thread doesn't handle
        hook = threading.excepthook
        hook(threading.ExceptHookArgs((type(mistake), mistake, mistake.__traceback__, threading.current_thread())))
