"""The double itself: commits at once or when told, failures on demand.

It keeps the promises of the contract but lasting. `done` is called on the thread that calls `write`, before that
returns, or on the one that calls `release`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from sandbox.errors import StoreError
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import Task
from sandbox.store.contract import StoreStats, TaskRecord, WriteGroup
from sandbox.store.memory.reader import MemoryReader
from sandbox.store.memory.tables import Change, Tables, change_of

Done = Callable[[StoreError | None], None]


class _Waiting(NamedTuple):
    change: Change
    done: Done
    rows: int
    failure: StoreError | None


class MemoryStore:
    """An :class:`sandbox.store.contract.EventStore` for tests.

    `tables` survives `close`: hand it to another double to play a restart.
    """

    def __init__(self, tables: Tables | None = None) -> None:
        self.tables = Tables() if tables is None else tables
        self.commits: list[list[WriteGroup]] = []
        """The groups of each commit, as they were handed in."""
        self._reader = MemoryReader(self.tables)
        self._open = False
        self._holding = False
        self._waiting: list[_Waiting] = []
        self._groups: list[WriteGroup] = []
        self._next_failure: StoreError | None = None
        self._failure: StoreError | None = None
        self._stats = StoreStats()

    # ── for tests ────────────────────────────────────────────────────────────────────────────────────

    def hold(self) -> None:
        """From now on writes wait for `release`, as behind a slow disk."""
        self._holding = True

    def release(self) -> None:
        """Commit all that waits, together; later writes are committed at once again."""
        self._holding = False
        self._commit()

    def fail_next(self, error: StoreError) -> None:
        """The next commit fails so, with all that waits."""
        self._next_failure = error

    # ── the contract ─────────────────────────────────────────────────────────────────────────────────

    @property
    def reader(self) -> MemoryReader:
        self._check_open()
        return self._reader

    def open(self) -> None:
        self._open = True

    def write(self, group: WriteGroup, done: Done) -> None:
        self._check_open()
        rows = len(group.events) + len(group.created) + len(group.changed) + len(group.ended)
        self._waiting.append(_Waiting(change_of(group), done, rows, self._failure))
        self._groups.append(group)
        if not self._holding:
            self._commit()

    def load_unfinished(self) -> Iterator[Task]:
        self._check_open()
        self._failure = None
        return iter([_task(record) for record in self.tables.tasks.values() if not record.status.ended])

    def idempotency_keys(self) -> Iterator[tuple[str, str, str]]:
        return iter([(domain, key, task_id) for (domain, key), task_id in sorted(self.tables.keys.items())])

    def domain_numbers(self) -> dict[str, int]:
        return dict(self.tables.domains)

    def add_domain(self, name: str) -> int:
        self._check_open()
        return self.tables.domains.setdefault(name, len(self.tables.domains) + 1)

    def stats(self) -> StoreStats:
        return replace(self._stats, waiting_groups=len(self._waiting))

    def close(self) -> None:
        if self._open:
            self.release()
            self._reader.close()
            self._open = False

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        groups, self._groups = self._groups, []
        if not waiting:
            return
        if self._next_failure is not None:
            self._failure, self._next_failure = self._next_failure, None
            waiting = [each._replace(failure=self._failure) for each in waiting]
            self._stats = replace(self._stats, failures=self._stats.failures + 1)
        live = [each for each in waiting if each.failure is None]
        for each in live:
            each.change(self.tables)
        if live:
            self.commits.append(groups)
            self._stats = replace(
                self._stats,
                commits=self._stats.commits + 1,
                groups=self._stats.groups + len(live),
                rows=self._stats.rows + sum(each.rows for each in live),
            )
        for each in waiting:
            each.done(each.failure)

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed", hint="open it first")


def _task(record: TaskRecord) -> Task:
    return Task(
        task_id=record.task_id,
        domain=record.domain,
        queue=record.queue,
        name=record.name,
        status=record.status,
        created_ms=record.created_ms,
        args=record.args,
        kwargs=record.kwargs,
        priority=record.priority,
        attempt=record.attempt,
        uncounted=record.uncounted,
        lost=record.lost,
        due_ms=record.due_ms,
        started_ms=record.started_ms,
        shepherd_id=record.shepherd_id,
        timeout_ms=record.timeout_ms,
        retry_policy=None if record.retry_policy is None else RetryPolicy.from_json(record.retry_policy),
        idempotency_key=record.idempotency_key,
        labels=dict(record.labels) or None,
        flow_id=record.flow_id,
        cancel_requested=record.cancel_requested,
    )
