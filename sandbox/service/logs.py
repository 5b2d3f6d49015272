"""Read the logs of a task, while it runs or after, wherever its sinks have put them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from logsinks.reading import LogLine, LogQuery, LogSource, follow_log, read_log
from sandbox.dispatch.waiters import Waiters
from sandbox.errors import LogNotFound, NotFound, TaskNotFound
from sandbox.model.clock import Clock
from sandbox.model.event import EventType
from sandbox.scheduler.engine import Engine
from sandbox.store.contract import LogRecord, TaskReader

_COALESCE_S = 0.02
"""News come thousands of times a second under load; a follower looks at most this often."""

_LATE_S = 5.0
"""How long after the end of a task a follower waits for a log that is known to exist and isn't there yet."""


class LogService:
    """All methods raise TaskNotFound for an unknown id."""

    def __init__(
        self,
        engine: Engine,
        reader: TaskReader,
        waiters: Waiters,
        clock: Clock,
        sinks: Sequence[Mapping[str, str]],
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._waiters = waiters
        self._clock = clock
        self._urls = {sink["name"]: sink["url"] for sink in sinks}

    async def places(self, task_id: str) -> list[LogRecord]:
        """Every place where a log of the task is, by attempt and sink."""
        return await self._reader.logs(task_id)

    async def lines(self, task_id: str, query: LogQuery, *, sink: str | None = None) -> AsyncIterator[LogLine]:
        """The lines of all attempts, in order; with `query.follow` until the task has ended.

        LogNotFound: the task has printed nothing, or that sink has nothing of it; never while following a
        task that may yet print.
        """
        progress = _Progress(self, task_id, sink)
        try:
            if query.follow and self._engine.is_unended(task_id):
                async for line in follow_log(progress, query):
                    yield line
                return
            sources = await progress.sources()
            while not self._engine.is_unended(task_id) and not await progress.ended():
                await progress.changed()  # it has printed something that no sink has told of yet
                sources = await progress.sources()
            if not sources:
                raise await self._nothing(task_id, sink)
            async for line in read_log(sources, query, ended=progress.ended):
                yield line
        finally:
            progress.close()

    async def _nothing(self, task_id: str, sink: str | None) -> NotFound:
        record = await self._reader.task(task_id)
        if record is None:
            return TaskNotFound("No such task", subject=task_id, hint="azolla-local ls shows the newest tasks")
        if not record.attempt:
            why = f"it has not run yet: it is {record.status.word}"
        elif sink is not None and await self._reader.logs(task_id):
            why = f"sink {sink} has nothing of it; others do"
        elif record.status.ended:
            why = "it printed nothing"
        else:
            why = "it has printed nothing yet"
        return LogNotFound(
            "There is no log", subject=task_id, why=why, hint=f"azolla-local why {task_id} tells what it does"
        )

    async def sources(self, task_id: str, sink: str | None) -> list[LogSource]:
        """One place for each attempt: that sink's, or the first one that can be read here."""
        found: dict[int, LogSource] = {}
        for record in await self._reader.logs(task_id):
            url = self._urls.get(record.sink)
            if url is None or record.attempt in found or (sink is not None and record.sink != sink):
                continue
            if url.partition(":")[0] == "stdout":
                continue  # can't be read back
            found[record.attempt] = LogSource(sink_url=url, locator=record.locator, attempt=record.attempt)
        return list(found.values())

    async def missing(self, task_id: str, known: Sequence[LogSource]) -> bool:
        """Whether an attempt is known to have printed something, and no sink has told where it is."""
        there = {source.attempt for source in known}
        return any(
            event.type == EventType.ATTEMPT_ENDED and event.metadata.get("log_bytes") and event.attempt not in there
            for event in await self._reader.events(task_id)
        )

    def is_unended(self, task_id: str) -> bool:
        """Whether the task may yet have another attempt."""
        return self._engine.is_unended(task_id)

    def listen(self) -> asyncio.Event:
        """Set whenever something happened."""
        return self._waiters.listen()

    def leave(self, news: asyncio.Event) -> None:
        """No more news."""
        self._waiters.leave(news)

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()


class _Progress:
    """What a follower must know of one task (logsinks.reading.LogProgress)."""

    def __init__(self, logs: LogService, task_id: str, sink: str | None) -> None:
        self._logs = logs
        self._task_id = task_id
        self._sink = sink
        self._news = logs.listen()
        self._over_since: float | None = None

    async def sources(self) -> Sequence[LogSource]:
        self._news.clear()
        return await self._logs.sources(self._task_id, self._sink)

    async def ended(self) -> bool:
        """The task is over, and every log that is known to exist has been found."""
        if self._logs.is_unended(self._task_id):
            return False
        if self._over_since is None:
            self._over_since = self._logs.now()
        if self._logs.now() - self._over_since > _LATE_S:
            return True
        known = await self._logs.sources(self._task_id, self._sink)
        return not await self._logs.missing(self._task_id, known)

    async def changed(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), 1.0)
        except TimeoutError:
            return  # after the end nothing may be new, and the log still be on its way
        await asyncio.sleep(_COALESCE_S)

    def close(self) -> None:
        self._logs.leave(self._news)
