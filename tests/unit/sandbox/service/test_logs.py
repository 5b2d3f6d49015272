"""Which logs of a task are read, and what a follower is told of the task; reading itself is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from logsinks.reading import LogLine, LogQuery, LogSource
from logsinks.record import Stream
from sandbox.dispatch.waiters import Waiters
from sandbox.errors import LogNotFound, TaskNotFound
from sandbox.model.event import EventType
from sandbox.model.status import TaskStatus
from sandbox.service import logs as logs_module
from sandbox.service.logs import LogService
from sandbox.store.contract import EventRecord, LogRecord
from tests.support.factories import NOW_MS, task_id
from tests.support.manual_clock import ManualClock, settle

ID = task_id(1)

SINKS = [
    {"name": "local", "url": "file:///logs"},
    {"name": "copy", "url": "s3://bucket/logs"},
    {"name": "screen", "url": "stdout:"},
]


class FakeReader:
    """What the store says of one task."""

    def __init__(self) -> None:
        self.places: list[LogRecord] = []
        self.history: list[EventRecord] = []
        self.record: Any = None

    async def logs(self, task_id: str) -> list[LogRecord]:
        return list(self.places)

    async def events(self, task_id: str) -> list[EventRecord]:
        return list(self.history)

    async def task(self, task_id: str) -> Any:
        return self.record

    def opened(self, attempt: int, sink: str = "local") -> None:
        self.places.append(LogRecord(task_id=ID, attempt=attempt, sink=sink, locator=f"{sink}/a{attempt}"))

    def printed(self, attempt: int, log_bytes: int) -> None:
        self.history.append(
            EventRecord(
                seq=1,
                time_ms=NOW_MS,
                type=EventType.ATTEMPT_ENDED,
                domain="default",
                task_id=ID,
                attempt=attempt,
                shepherd_id="",
                metadata={"log_bytes": log_bytes} if log_bytes else {},
            )
        )

    def is_(self, status: TaskStatus, attempt: int = 1) -> None:
        self.record = SimpleNamespace(status=status, attempt=attempt)


class World:
    def __init__(self, clock: ManualClock) -> None:
        self.reader = FakeReader()
        self.waiters = Waiters()
        self.unended = False
        self.clock = clock
        engine: Any = SimpleNamespace(is_unended=lambda task_id: self.unended)
        reader: Any = self.reader
        self.service = LogService(engine, reader, self.waiters, clock, SINKS)
        self.asked: list[tuple[str, list[LogSource]]] = []
        self.over: list[bool] = []
        """What a reader was told: whether the task had ended."""

    async def lines(self, query: LogQuery | None = None, sink: str | None = None) -> list[bytes]:
        return [line.data async for line in self.service.lines(ID, query or LogQuery(), sink=sink)]


def line(data: bytes) -> LogLine:
    return LogLine(1, Stream.OUT, datetime(2027, 1, 1, tzinfo=UTC), data, 0)


@pytest.fixture
def world(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(clock)

    async def read_log(
        sources: Sequence[LogSource], query: LogQuery, *, ended: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[LogLine]:
        made.over.append(await ended())
        made.asked.append(("read", list(sources)))
        for source in sources:
            yield line(source.locator.encode())

    async def follow_log(progress: Any, query: LogQuery) -> AsyncIterator[LogLine]:
        seen: set[int] = set()
        while True:
            over = await progress.ended()
            for source in await progress.sources():
                if source.attempt not in seen:
                    seen.add(source.attempt)
                    yield line(source.locator.encode())
            if over:
                return
            await progress.changed()

    monkeypatch.setattr(logs_module, "read_log", read_log)
    monkeypatch.setattr(logs_module, "follow_log", follow_log)
    return made


# ── which sources ────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_sink_that_can_be_read_tells_of_each_attempt(world):
    for attempt, sink in ((1, "screen"), (1, "gone"), (1, "local"), (1, "copy"), (2, "copy"), (3, "gone")):
        world.reader.opened(attempt, sink)
    assert await world.service.sources(ID, None) == [
        LogSource("file:///logs", "local/a1", 1),
        LogSource("s3://bucket/logs", "copy/a2", 2),
    ]
    assert await world.lines() == [b"local/a1", b"copy/a2"]
    assert len(await world.service.places(ID)) == 6


async def test_one_sink_only(world):
    for attempt, sink in ((1, "local"), (1, "copy"), (2, "local")):
        world.reader.opened(attempt, sink)
    assert await world.lines(sink="copy") == [b"copy/a1"]


@pytest.mark.parametrize(
    ("log_bytes", "known", "missing"), [(0, [], False), (5, [], True), (5, [1], False), (5, [2], True)]
)
async def test_what_is_known_to_exist_and_isnt_there(world, log_bytes, known, missing):
    world.reader.printed(1, log_bytes)
    there = [LogSource("file:///logs", "x", attempt) for attempt in known]
    assert await world.service.missing(ID, there) is missing


# ── nothing there ────────────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_task(world):
    for query in (LogQuery(), LogQuery(follow=True)):
        with pytest.raises(TaskNotFound):
            await world.lines(query)


@pytest.mark.parametrize(
    ("status", "attempt", "why"),
    [
        (TaskStatus.SCHEDULED, 0, "it has not run yet: it is scheduled"),
        (TaskStatus.RUNNING, 1, "it has printed nothing yet"),
        (TaskStatus.SUCCEEDED, 1, "it printed nothing"),
        (TaskStatus.DEAD, 3, "it printed nothing"),
        (TaskStatus.CANCELLED, 0, "it has not run yet: it is cancelled"),
    ],
)
async def test_no_log_and_why(world, status, attempt, why):
    world.reader.is_(status, attempt)
    with pytest.raises(LogNotFound) as caught:
        await world.lines()
    assert caught.value.why == why
    assert caught.value.hint == f"azolla-local why {ID} tells what it does"


async def test_no_log_in_that_sink(world):
    world.reader.is_(TaskStatus.SUCCEEDED)
    world.reader.opened(1, "local")
    with pytest.raises(LogNotFound) as caught:
        await world.lines(sink="copy")
    assert caught.value.why == "sink copy has nothing of it; others do"


async def test_nobody_listens_any_more_when_it_is_over(world):
    world.reader.opened(1)
    await world.lines()
    world.reader.places.clear()
    world.reader.is_(TaskStatus.SUCCEEDED)
    with pytest.raises(LogNotFound):
        await world.lines()
    assert world.waiters._news == set()


# ── following ────────────────────────────────────────────────────────────────────────────────────────


async def follow(world: World) -> tuple[list[bytes], asyncio.Task[None]]:
    seen: list[bytes] = []

    async def collect() -> None:
        async for each in world.service.lines(ID, LogQuery(follow=True)):
            seen.append(each.data)  # noqa: PERF401 - looked at while it grows

    task = asyncio.ensure_future(collect())
    await settle()
    return seen, task


async def news(world: World) -> None:
    world.waiters.news([])
    await settle()
    world.clock.advance(0.05)  # news are looked at in lots
    await settle()


async def test_following_from_before_the_first_attempt_to_the_end(world):
    world.unended = True
    seen, following = await follow(world)
    assert seen == []
    world.reader.opened(1)
    await news(world)
    assert seen == [b"local/a1"]
    world.reader.opened(2)
    await news(world)
    world.unended = False
    await news(world)
    await following
    assert seen == [b"local/a1", b"local/a2"]
    assert world.waiters._news == set()


async def test_a_follower_waits_for_a_log_that_is_on_its_way(world):
    world.unended = True
    seen, following = await follow(world)
    world.reader.printed(1, 10)
    world.unended = False
    await news(world)
    assert not following.done()
    world.reader.opened(1)
    await news(world)
    await following
    assert seen == [b"local/a1"]


async def test_a_follower_doesnt_wait_for_ever(world):
    world.unended = True
    seen, following = await follow(world)
    world.reader.printed(1, 10)
    world.unended = False
    await news(world)
    for _ in range(6):
        world.clock.advance(1)
        await settle()
    await following
    assert seen == []


async def test_a_follower_who_leaves_is_forgotten(world):
    world.unended = True
    _, following = await follow(world)
    following.cancel()
    await settle()
    assert world.waiters._news == set()


async def test_following_what_has_just_ended_waits_for_its_log(world):
    world.reader.is_(TaskStatus.SUCCEEDED)
    world.reader.printed(1, 10)
    seen, following = await follow(world)
    assert not following.done()
    world.reader.opened(1)
    await news(world)
    await following
    assert seen == [b"local/a1"]


async def test_following_what_has_ended_and_whose_log_is_there_doesnt_wait(world):
    world.reader.printed(1, 10)
    world.reader.opened(1)
    seen, following = await follow(world)
    assert following.done()
    assert seen == [b"local/a1"]


async def test_reading_waits_for_the_log_of_a_task_that_has_just_ended(world):
    world.reader.printed(1, 10)
    world.reader.is_(TaskStatus.SUCCEEDED)
    reading = asyncio.ensure_future(world.lines())
    await settle()
    assert not reading.done()
    world.reader.opened(1)
    await news(world)
    assert await reading == [b"local/a1"]
    assert world.over == [True]


async def test_reading_while_the_task_runs_never_waits(world):
    world.unended = True
    world.reader.printed(1, 10)
    world.reader.is_(TaskStatus.RETRYING)
    with pytest.raises(LogNotFound):
        await world.lines()
