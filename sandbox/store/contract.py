"""What the orchestrator asks of the place that keeps its events and tasks, and what it may rely on.

Promises of every :class:`EventStore`:

- A group is kept whole or not at all. Groups are kept in the order of `write`; several that queue up while one
  is committed share the next commit.
- `done` is called once for each group, in the order of `write`, on a thread of the store or before `write`
  returns: with None when the group is as durable as the store's setting says, or with the error that kept it out.
- When a commit fails, each of its groups fails, and so does every later one until `load_unfinished` is called,
  with the same error: they build on what was lost. Nothing of them is kept. Reload the state, and go on.
- The order inside a group doesn't matter: `created` is applied first, then `changed`, then `ended`.
- What a reader answers is a snapshot of committed groups. It never waits for the writer, nor the writer for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from sandbox.errors import StoreError
from sandbox.model.event import Event
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask, Task

Item = TypeVar("Item")


class Durability(StrEnum):
    """What a power cut, or a crash of the operating system, may take. A crash of the orchestrator takes nothing."""

    FULL = "full"
    """Nothing that was acknowledged: each commit waits for the disk."""
    NORMAL = "normal"
    """The last commits (those since the last checkpoint, at most some seconds); the file stays intact."""
    ASYNC = "async"
    """As `normal`, and the file may be damaged: for tests and throw-away environments."""


@dataclass(slots=True)
class WriteGroup:
    """What is kept together or not at all.

    `write` copies what it needs before it returns, so the tasks may be changed afterwards.
    Two events change more than the event log: `LogOpened` becomes a row of logs, the events of shepherds keep
    the list of shepherds. `AttemptEnded.started_ms` fills `started_ms` of a task that ends in the same group.
    """

    events: list[Event] = field(default_factory=list[Event])
    created: list[Task] = field(default_factory=list[Task])
    """New tasks, with their idempotency keys if they have one."""
    changed: list[Task] = field(default_factory=list[Task])
    """Tasks that were there before: everything but their input and names may have changed."""
    ended: list[EndedTask] = field(default_factory=list[EndedTask])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A task as it is kept, ended or not. Times are Unix milliseconds, 0 where there is none yet."""

    task_id: str
    domain: str
    queue: str
    name: str
    status: TaskStatus
    priority: int
    attempt: int
    uncounted: int
    lost: int
    created_ms: int
    due_ms: int
    started_ms: int
    ended_ms: int
    shepherd_id: str
    args: str
    """JSON array as text."""
    kwargs: str
    """JSON object as text."""
    retry_policy: str | None
    """JSON text; None: Azolla's default."""
    timeout_ms: int
    labels: Mapping[str, str]
    idempotency_key: str | None
    flow_id: str | None
    cancel_requested: bool
    result: str | None
    """JSON text; None unless it succeeded."""
    error_type: str
    error_message: str
    error_data: str
    """JSON text; empty where there is none."""
    retriable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event as it is kept. `seq` rises by the order of commits; `type` is the number of an `EventType`."""

    seq: int
    time_ms: int
    type: int
    domain: str
    task_id: str
    attempt: int
    shepherd_id: str
    metadata: dict[str, Any]
    """The fields of the event's own class that differ from their defaults; statuses and outcomes as words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """Where a sink keeps the log of an attempt."""

    task_id: str
    attempt: int
    sink: str
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdRecord:
    """A shepherd that has ever said hello. `connected` is what the last event said, not what is so now."""

    shepherd_id: str
    epoch: int
    queue: str
    host: str
    version: str
    first_seen_ms: int
    last_seen_ms: int
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are meant. What is empty or None doesn't narrow."""

    domain: str | None = None
    queue: str | None = None
    statuses: Sequence[TaskStatus] = ()
    """Any of them."""
    name: str | None = None
    """A glob: `*`, `?` and `[…]`, upper and lower case told apart."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of them."""
    created_from_ms: int | None = None
    created_before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list. `next_cursor` is opaque; None: that was the end."""

    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAnswer:
    """Rows of a statement, blobs as hexadecimal text; `truncated`: there were more than asked for."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """What the store has done since it was opened, and what waits."""

    commits: int = 0
    groups: int = 0
    rows: int = 0
    failures: int = 0
    waiting_groups: int = 0
    """Queued, not yet part of a commit: what back-pressure looks at."""
    commit_s: float = 0.0
    """Time spent in commits, summed."""
    last_commit_s: float = 0.0
    checkpoints: int = 0
    wal_bytes: int = 0


class TaskReader(Protocol):
    """Read-only answers from committed groups. All methods may be called from one event loop at once.

    They raise StoreDamaged if the file can't be read, and StoreError after `close` of the store.
    """

    async def task(self, task_id: str) -> TaskRecord | None: ...

    async def ended(self, task_id: str) -> EndedTask | None:
        """None if there is no such task, or it has not ended."""
        ...

    async def ids_with_prefix(self, prefix: str, limit: int) -> list[str]:
        """Ids that start so (lower-case, with hyphens), in order, at most `limit`."""
        ...

    async def tasks(self, which: TaskFilter, after: str | None = None, limit: int = 100) -> Page[TaskRecord]:
        """Newest first. `after`: the `next_cursor` of the page before. BadFilter if it is none of ours."""
        ...

    async def events(self, task_id: str) -> list[EventRecord]:
        """All events of a task, oldest first."""
        ...

    async def events_after(self, seq: int, limit: int, domain: str | None = None) -> list[EventRecord]:
        """The next events of everything, or of one domain, oldest first; 0 begins at the first."""
        ...

    async def last_seq(self) -> int:
        """The number of the newest event; 0 if there is none."""
        ...

    async def logs(self, task_id: str) -> list[LogRecord]:
        """Where the logs of a task's attempts are, by attempt and sink."""
        ...

    async def shepherds(self) -> list[ShepherdRecord]:
        """Every shepherd that was ever seen, by id."""
        ...

    async def counts(self, domain: str | None = None) -> dict[TaskStatus, int]:
        """How many tasks stand where; a status without tasks is left out."""
        ...

    async def sql(self, statement: str, *, limit: int = 1000, seconds: float = 5.0) -> SqlAnswer:
        """The answer to one reading statement. BadFilter if it is wrong, would write, or takes longer."""
        ...


class EventStore(Protocol):
    """See the promises at the top of this file. One object is opened once and closed once."""

    @property
    def reader(self) -> TaskReader:
        """There once the store is open."""
        ...

    def open(self) -> None:
        """Take the store for this process, bring it to this version, be ready. Blocking.

        Raises StoreInUse, StoreForeign, StoreTooNew, StoreReadOnly, StoreFull or StoreDamaged.
        """
        ...

    def write(self, group: WriteGroup, done: Callable[[StoreError | None], None]) -> None:
        """Queue a group; returns at once. `done` must be quick and must not raise.

        StoreError, and nothing is queued, after `close`, or for a text that isn't UTF-8 or a number beyond 64 bits.
        """
        ...

    def load_unfinished(self) -> Iterator[Task]:
        """Every task that has not ended, in order of creation. After a failure, writes are tried again. Blocking."""
        ...

    def idempotency_keys(self) -> Iterator[tuple[str, str, str]]:
        """All of (domain, key, task id). Blocking."""
        ...

    def domain_numbers(self) -> dict[str, int]:
        """The number of each known domain. Blocking."""
        ...

    def add_domain(self, name: str) -> int:
        """Give a domain the next number, durably; the number it has if it is known. Blocking, rare."""
        ...

    def stats(self) -> StoreStats: ...

    def close(self) -> None:
        """Commit what is queued, end the threads, let go of the lock. Blocking; harmless if repeated."""
        ...
