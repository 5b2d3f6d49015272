"""The services of an orchestrator, in memory and scripted by the task's name.

`add` adds its arguments up, `fail` and `exit` fail, everything else stays pending until the test ends it.
Also a real HTTP server around them, in a thread, for clients and commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import uvicorn

from logsinks.reading import LogLine, LogQuery
from logsinks.record import Stream
from sandbox.api.rest.app import create_app
from sandbox.errors import AmbiguousId, LogNotFound, TaskNotFound, UnknownTaskName
from sandbox.model.event import EventType
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask, NewTask
from sandbox.store.contract import EventRecord, Page, SqlAnswer, TaskFilter, TaskRecord
from tests.support.factories import make_record

NOW_MS = 1_800_000_000_000
KNOWN = ("add", "fail", "exit", "later", "chatty", "silent")


def task_id(number: int) -> str:
    return f"00000000-0000-8000-8000-{number:012x}"


def record(number: int = 1, **changes: Any) -> TaskRecord:
    return make_record(number, **({"name": "later"} | changes))


def ended_of(task: TaskRecord) -> EndedTask:
    names = {field.name for field in dataclasses.fields(EndedTask)}
    return EndedTask(**{name: getattr(task, name) for name in names})


_LONGEST_WAIT_S = 3.0


class FakeTasks:
    """TaskService as far as the HTTP API uses it."""

    def __init__(self) -> None:
        self.records: dict[str, TaskRecord] = {}
        self.created: list[NewTask] = []
        self.batches: list[int] = []
        self.history: list[EventRecord] = []
        self.by_key: dict[str, str] = {}
        self.cancelled: list[tuple[str, str]] = []
        self.filters: list[tuple[TaskFilter, str | None, int]] = []
        self.changed = threading.Condition()
        self.fail_batch: int | None = None

    def add(self, task: TaskRecord) -> TaskRecord:
        self.records[task.task_id] = task
        self.event(EventType.TASK_CREATED, task, name=task.name)
        return task

    def event(self, kind: EventType, task: TaskRecord, **metadata: Any) -> None:
        seq = len(self.history) + 1
        attempt = 0 if kind in {EventType.TASK_CREATED, EventType.TASK_ENDED} else max(task.attempt, 1)
        shepherd = "" if attempt == 0 else "shepherd-1"
        self.history.append(
            EventRecord(
                seq=seq,
                time_ms=NOW_MS + seq,
                type=kind,
                domain=task.domain,
                task_id=task.task_id,
                attempt=attempt,
                shepherd_id=shepherd,
                metadata=metadata,
            )
        )

    def end(self, whole: str, status: TaskStatus = TaskStatus.SUCCEEDED, exit_code: int = 0, **changes: Any) -> None:
        known = self.records[whole]
        task = dataclasses.replace(
            known,
            status=status,
            attempt=max(known.attempt, 1),
            started_ms=NOW_MS + 5,
            ended_ms=NOW_MS + 1500,
            **changes,
        )
        word = "succeeded" if status is TaskStatus.SUCCEEDED else "failed"
        told = {"outcome": word, "started_ms": NOW_MS + 5, "error_type": task.error_type, "exit_code": exit_code}
        self.event(EventType.ATTEMPT_ASSIGNED, task)
        self.event(EventType.ATTEMPT_ENDED, task, **{key: value for key, value in told.items() if value})
        self.event(EventType.TASK_ENDED, task, status=status.word)
        with self.changed:
            self.records[whole] = task
            self.changed.notify_all()

    async def create(self, new: NewTask, *, checked_name: bool) -> str:
        return (await self.create_many([new], checked_name=checked_name))[0]

    async def create_many(self, news: list[NewTask], *, checked_name: bool) -> list[str]:
        for new in news:
            if checked_name and new.name not in KNOWN:
                raise UnknownTaskName("No task has that name", subject=new.name, hint="did you mean add?")
        self.batches.append(len(news))
        if self.fail_batch == len(self.batches):
            raise UnknownTaskName("No task has that name", subject="gone")
        return [self._create(new) for new in news]

    def _create(self, new: NewTask) -> str:
        self.created.append(new)
        if new.idempotency_key in self.by_key:
            return self.by_key[new.idempotency_key]
        task = self.add(
            record(
                len(self.records) + 1,
                name=new.name,
                domain=new.domain,
                queue=new.queue,
                args=new.args,
                kwargs=new.kwargs,
                labels=new.labels,
                priority=new.priority,
            )
        )
        if new.idempotency_key is not None:
            self.by_key[new.idempotency_key] = task.task_id
        args = json.loads(new.args)
        if new.name == "add":
            self.end(task.task_id, result=json.dumps(sum(args)))
        elif new.name in {"chatty", "silent"}:
            self.end(task.task_id, result='"done"')
        elif new.name == "fail":
            self.end(task.task_id, TaskStatus.FAILED, error_type="ValueError", error_message="no good")
        elif new.name == "exit":
            self.end(task.task_id, TaskStatus.DEAD, exit_code=args[0], error_type="ExitCode", error_message="it left")
        return task.task_id

    async def wait(self, whole: str, timeout_s: float | None) -> EndedTask | None:
        async for ended in self.wait_each([whole], timeout_s):
            return ended
        return None

    async def wait_each(self, ids: list[str], timeout_s: float | None) -> AsyncIterator[EndedTask]:
        for whole in ids:
            await self.get(whole)

        def next_ended(waiting: list[str]) -> str | None:
            with self.changed:
                found = self.changed.wait_for(
                    lambda: [whole for whole in waiting if self.records[whole].status.ended],
                    # Bounded: a thread that nobody waits for any more would keep pytest from ending.
                    _LONGEST_WAIT_S if timeout_s is None else min(timeout_s, _LONGEST_WAIT_S),
                )
            return found[0] if found else None

        waiting = list(ids)
        while waiting:
            whole = await asyncio.to_thread(next_ended, waiting)
            if whole is None:
                return
            waiting.remove(whole)
            yield ended_of(self.records[whole])

    async def cancel(self, whole: str, reason: str = "") -> TaskStatus:
        self.cancelled.append((whole, reason))
        known = await self.get(whole)
        if not known.status.ended:
            self.end(whole, TaskStatus.CANCELLED)
        return self.records[whole].status

    async def resolve(self, prefix: str) -> str:
        found = [whole for whole in self.records if whole.startswith(prefix)]
        if not found:
            raise TaskNotFound("No such task", subject=prefix, hint="azolla-local ls shows the newest tasks")
        if len(found) > 1:
            raise AmbiguousId("Several tasks have an id that starts so", subject=prefix, why=", ".join(found))
        return found[0]

    async def get(self, whole: str) -> TaskRecord:
        if whole not in self.records:
            raise TaskNotFound("No such task", subject=whole)
        return self.records[whole]

    def progress(self, _: str) -> None:
        return None

    async def list(self, which: TaskFilter, cursor: str | None = None, limit: int = 100) -> Page[TaskRecord]:
        self.filters.append((which, cursor, limit))
        found = [
            task for task in reversed(self.records.values()) if not which.statuses or task.status in which.statuses
        ]
        start = int(cursor or 0)
        more = str(start + limit) if start + limit < len(found) else None
        return Page(found[start : start + limit], more)

    async def events(self, whole: str) -> list[EventRecord]:
        return [event for event in self.history if event.task_id == whole]

    async def events_after(self, seq: int, limit: int, domain: str | None = None) -> list[EventRecord]:
        found = [event for event in self.history if event.seq > seq and domain in {None, event.domain}]
        return found[:limit]

    async def last_seq(self) -> int:
        return len(self.history)

    async def new_events(self) -> AsyncIterator[None]:
        yield

    async def counts(self, domain: str | None = None) -> dict[TaskStatus, int]:
        return {TaskStatus.SUCCEEDED: sum(1 for task in self.records.values() if task.domain == domain)}

    async def why(self, whole: str) -> Any:
        task = await self.get(whole)
        return SimpleWhy(status=task.status, sentence="No shepherd is connected.", hints=["azolla-local up"], detail={})

    def domains(self) -> list[str]:
        return ["default"]

    def definitions(self) -> tuple[list[Any], list[str]]:
        known = [SimpleDefinition(name=name, source=f"/tasks/{name}.py", kind="python") for name in KNOWN]
        return known, ["/tasks/broken.task:3: no such key"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimpleWhy:
    status: TaskStatus
    sentence: str
    hints: list[str]
    detail: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimpleDefinition:
    name: str
    source: str
    kind: str
    description: str = ""


class FakeLogs:
    """LogService: the same few lines for each `chatty` task."""

    def __init__(self) -> None:
        self.queries: list[tuple[LogQuery, str | None]] = []
        self.entries = [
            line(b"hello\n", 0),
            line(b"oh no\n", 6, Stream.ERR),
            line(b"\xff\x1b]0;x\x07raw\n", 12),
            line(b"again\n", 0, attempt=2),
        ]
        self.break_after: int | None = None

    async def lines(self, whole: str, query: LogQuery, *, sink: str | None = None) -> AsyncIterator[LogLine]:
        self.queries.append((query, sink))
        if not self.entries:
            raise LogNotFound("There is no log", subject=whole, why="it printed nothing")
        for at, entry in enumerate(self.entries):
            if self.break_after == at:
                self.break_after = None
                raise ConnectionResetError("the test breaks the stream")
            yield entry


def line(data: bytes, offset: int, stream: Stream = Stream.OUT, attempt: int = 1, **more: Any) -> LogLine:
    return LogLine(attempt, stream, datetime.fromtimestamp(NOW_MS / 1000, UTC), data, offset, **more)


class FakeUpkeep:
    def __init__(self) -> None:
        self.is_ready = True

    async def status(self) -> dict[str, Any]:
        return {"name": "default", "tasks": {"succeeded": 1}}

    async def sql(self, statement: str, limit: int = 1000) -> SqlAnswer:
        rows: list[tuple[Any, ...]] = [("add", 2), (None, b"\x00")]
        return SqlAnswer(columns=["name", "n"], rows=rows[:limit], truncated=limit < 2)

    def ready(self) -> bool:
        return self.is_ready

    def gauges(self) -> dict[str, float]:
        return {"tasks_unended": 7}


class FakeServices:
    """All families of use cases."""

    def __init__(self) -> None:
        self.tasks = FakeTasks()
        self.logs = FakeLogs()
        self.shepherds = SimpleNamespace(list=lambda: [SimpleDefinition(name="local", source="", kind="shepherd")])
        self.upkeep = FakeUpkeep()


@contextlib.contextmanager
def served(services: FakeServices) -> Iterator[str]:
    """The address of an HTTP server around the services."""
    anyhow: Any = services
    config = uvicorn.Config(create_app(anyhow), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    started = threading.Event()
    server_startup = server.startup

    async def startup(*args: Any, **kwargs: Any) -> None:
        await server_startup(*args, **kwargs)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(10)
