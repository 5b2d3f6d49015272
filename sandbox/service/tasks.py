"""Create, wait, cancel, look at tasks: the use cases of clients."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence

import orjson

from sandbox.dispatch.shepherds import Shepherds
from sandbox.dispatch.waiters import Waiters
from sandbox.errors import AmbiguousId, BadArguments, InvalidInput
from sandbox.model.clock import Clock
from sandbox.model.event import TaskEventPublished
from sandbox.model.ids import normalize
from sandbox.model.status import TaskStatus
from sandbox.model.task import DEFAULT_DOMAIN, EndedTask, NewTask
from sandbox.scheduler.commands import Progress
from sandbox.scheduler.engine import Engine
from sandbox.scheduler.explain import Why, explain
from sandbox.service.creation import Creation
from sandbox.service.definitions import Definitions, DefinitionView
from sandbox.service.missing import check_domain, not_found
from sandbox.service.waiting import Waiting
from sandbox.store.contract import EventRecord, Page, TaskFilter, TaskReader, TaskRecord


class TaskService:
    """All methods raise kinds of SandboxError; what they return is on disk."""

    def __init__(
        self,
        engine: Engine,
        reader: TaskReader,
        waiters: Waiters,
        shepherds: Shepherds,
        definitions: Definitions,
        clock: Clock,
        configured_domains: Collection[str] = (DEFAULT_DOMAIN,),
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._waiters = waiters
        self._shepherds = shepherds
        self._definitions = definitions
        self._clock = clock
        self._configured_domains = {DEFAULT_DOMAIN, *configured_domains}
        self._creation = Creation(engine, reader, shepherds, definitions, self._configured_domains)
        self._waiting = Waiting(engine, reader, waiters, clock)

    # ── create and wait ──────────────────────────────────────────────────────────────────────────────

    async def create(self, new: NewTask, *, checked_name: bool) -> str:
        """The id of the new task, or of the one that was created with the same idempotency key before.

        `checked_name`: refuse names and domains that nobody here knows (our own doors do; Azolla's clients
        may create tasks before the shepherd that knows them is there).
        """
        return await self._creation.create(new, checked_name=checked_name)

    async def create_many(self, news: Sequence[NewTask], *, checked_name: bool) -> list[str]:
        """Ids in the order of `news`. All are created in one commit, or none."""
        return await self._creation.create_many(news, checked_name=checked_name)

    async def wait(self, task_id: str, timeout_s: float | None, *, domain: str | None = None) -> EndedTask | None:
        """The ended task; None if it has not ended in time. TaskNotFound: there is none (in that domain)."""
        return await self._waiting.wait(task_id, timeout_s, domain=domain)

    def wait_in_batches(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[list[EndedTask]]:
        """Each task once when it has ended, those that ended together in one list; stops when the time is over."""
        return self._waiting.in_batches(task_ids, timeout_s)

    async def wait_each(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[EndedTask]:
        """The same, one by one in the order in which they ended."""
        async for batch in self._waiting.in_batches(task_ids, timeout_s):
            for ended in batch:
                yield ended

    # ── change ───────────────────────────────────────────────────────────────────────────────────────

    async def cancel(self, task_id: str, reason: str = "") -> TaskStatus:
        """Where the task stands afterwards: cancelled, or still running until its shepherd has ended it.

        A task that has ended stays as it is.
        """
        task = self._engine.taskset.get(task_id)
        if task is None:
            if self._engine.is_unended(task_id):
                await self._engine.durable()  # it has ended a moment ago, which is not yet on disk
            record = await self._reader.task(task_id)
            if record is None:
                raise not_found(task_id)
            return record.status
        self._engine.cancel(task, reason)
        await self._engine.durable()
        if task.status.ended:  # its shepherd could not be asked, or it ended meanwhile
            await self._engine.durable()
        return task.status

    async def publish(self, task_id: str, event_type: int, metadata: str, *, domain: str | None = None) -> None:
        """Append a client's own fact to the history of a task. `metadata`: a JSON object, or empty."""
        record = self._engine.taskset.get(task_id) or await self._reader.task(task_id)
        if record is None:
            raise not_found(task_id)
        check_domain(record, domain)
        try:
            value = orjson.loads(metadata or "{}")
        except orjson.JSONDecodeError as error:
            raise BadArguments("The metadata are not JSON", subject=task_id, why=str(error)) from None
        if not isinstance(value, dict):
            raise BadArguments("The metadata are no JSON object", subject=task_id)
        self._engine.append(
            TaskEventPublished(
                time_ms=self._clock.now_ms(),
                domain=record.domain,
                task_id=task_id,
                published_type=event_type,
                metadata=metadata or "{}",
            )
        )
        await self._engine.durable()

    # ── look ─────────────────────────────────────────────────────────────────────────────────────────

    async def resolve(self, prefix: str) -> str:
        """The id of the one task whose id starts so. TaskNotFound, AmbiguousId, InvalidInput."""
        text = prefix.strip().lower()
        if len(text) >= 32:
            with contextlib.suppress(ValueError):  # no whole id: the beginning of one, if anything
                return normalize(text)
        if not 0 < len(text) < 36 or not all(letter in "0123456789abcdef-" for letter in text):
            raise InvalidInput(
                "This is no task id",
                subject=prefix,
                why="ids have digits, a to f and hyphens",
                hint="azolla-local ls shows the ids",
            )
        found = await self._reader.ids_with_prefix(text, 6)
        if not found:
            raise not_found(prefix)
        if len(found) > 1:
            more = ", …" if len(found) > 5 else ""
            raise AmbiguousId(
                "Several tasks have an id that starts so",
                subject=prefix,
                why=", ".join(found[:5]) + more,
                hint="type more of it",
            )
        return found[0]

    async def get(self, task_id: str) -> TaskRecord:
        """Everything that is kept of a task."""
        record = await self._reader.task(task_id)
        if record is None:
            raise not_found(task_id)
        return record

    def progress(self, task_id: str) -> Progress | None:
        """What the running task last said of itself."""
        return self._engine.taskset.progress.get(task_id)

    async def list(self, which: TaskFilter, cursor: str | None = None, limit: int = 100) -> Page[TaskRecord]:
        """Newest first. BadFilter for a cursor that is none of ours."""
        return await self._reader.tasks(which, cursor, limit)

    async def events(self, task_id: str) -> list[EventRecord]:
        """The history of a task."""
        found = await self._reader.events(task_id)
        if not found:
            raise not_found(task_id)
        return found

    async def events_after(self, seq: int, limit: int, domain: str | None = None) -> list[EventRecord]:
        """The events of everything that come after number `seq`."""
        return await self._reader.events_after(seq, limit, domain)

    async def last_seq(self) -> int:
        """The number of the newest event."""
        return await self._reader.last_seq()

    async def new_events(self) -> AsyncIterator[None]:
        """Comes round whenever there may be new events, and once at the start."""
        news = self._waiters.listen()
        try:
            while True:
                news.clear()
                yield
                await news.wait()
        finally:
            self._waiters.leave(news)

    async def counts(self, domain: str | None = None) -> dict[TaskStatus, int]:
        """How many tasks stand where."""
        return await self._reader.counts(domain)

    async def why(self, task_id: str) -> Why:
        """Why a task stands where it stands, in a sentence, from the state that the scheduler itself uses."""
        record = await self.get(task_id)
        return explain(
            record,
            await self._reader.events(task_id),
            live=self._engine.taskset.get(task_id),
            ready=self._engine.ready,
            servers=[
                (known.info.serves(record.domain, record.queue), known.connection is not None, known.info.queue)
                for known in self._shepherds.known.values()
            ],
            now_ms=self._clock.now_ms(),
        )

    def domains(self) -> list[str]:
        """Every domain that is configured or was ever used."""
        return sorted({*self._configured_domains, *self._engine.domains()})

    def definitions(self) -> tuple[list[DefinitionView], list[str]]:
        """The tasks that can be submitted by name, and what is wrong with files that can't be read."""
        return self._definitions.views()
