from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logsinks.contract import Batch
from logsinks.errors import BadQuery, LogPurged
from logsinks.reading import LogLine, LogQuery, LogSource, follow_log, read_log
from logsinks.record import Record, Stream
from logsinks.registry import open_sink
from logsinks.testing.conformance import a_trailer, an_attempt, some_records

START = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


class Place:
    """A folder of logs, and what a test does with it."""

    def __init__(self, root: Path) -> None:
        self.url = f"file://{root}?template={{attempt_id}}"
        self.sink = open_sink(self.url, "local")

    async def store(self, attempt: int, *pieces: bytes, extra: Sequence[Record] = ()) -> LogSource:
        records = [*some_records(*pieces), *extra]
        data = b"".join(record.data for record in records)
        locator = await self.sink.store(Batch(an_attempt(1, attempt), records), a_trailer(data))
        return LogSource(self.url, locator, attempt)

    async def write(self, attempt: int, data: bytes, start: int = 0) -> LogSource:
        opened = await self.sink.open(an_attempt(1, attempt))
        await self.sink.write(Batch(an_attempt(1, attempt), some_records(data, start=start, first_ms=start * 20)))
        return LogSource(self.url, opened.locator, attempt)

    async def seal(self, attempt: int, data: bytes) -> None:
        await self.sink.seal(an_attempt(1, attempt), a_trailer(data))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    yield made
    await made.sink.close()


async def texts(lines: AsyncIterator[LogLine]) -> list[bytes]:
    return [line.data async for line in lines]


async def test_attempts_one_after_another(place: Place):
    second, first = await place.store(2, b"c\n"), await place.store(1, b"a\n", b"b\n")
    lines = [line async for line in read_log([second, first], LogQuery())]
    assert [(line.attempt, line.stream, line.data, line.offset) for line in lines] == [
        (1, Stream.OUT, b"a\n", 0),
        (1, Stream.ERR, b"b\n", 2),
        (2, Stream.OUT, b"c\n", 0),
    ]
    assert lines[0].time == START
    assert await texts(read_log([second, first], LogQuery(attempt=2))) == [b"c\n"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (LogQuery(stream=Stream.ERR), [1, 3, 5, 7, 9]),
        (LogQuery(grep="line [37]"), [3, 7]),
        (LogQuery(grep="line", stream=Stream.OUT, tail=2), [6, 8]),
        (LogQuery(tail=3), [7, 8, 9]),
        (LogQuery(tail=0), []),
        (LogQuery(tail=100), range(10)),
        (LogQuery(since=START + timedelta(milliseconds=120)), [6, 7, 8, 9]),
        (LogQuery(until=START + timedelta(milliseconds=60)), [0, 1, 2]),
        (LogQuery(since=START + timedelta(milliseconds=40), until=START + timedelta(milliseconds=80), tail=1), [3]),
        (LogQuery(from_offset=7 * 8), [8, 9]),
    ],
)
async def test_filters(place: Place, query: LogQuery, expected: Sequence[int]):
    source = await place.store(1, *(b"line %d\n" % number for number in range(10)))
    assert await texts(read_log([source], query)) == [b"line %d\n" % number for number in expected]


async def test_tail_over_attempts(place: Place):
    sources = [await place.store(attempt, b"%d a\n" % attempt, b"%d b\n" % attempt) for attempt in (1, 2, 3)]
    assert await texts(read_log(sources, LogQuery(tail=3))) == [b"2 b\n", b"3 a\n", b"3 b\n"]


async def test_raw_pieces_are_the_log_byte_for_byte(place: Place):
    pieces = [b"on", b"err", b"e\n", b"\xff"]
    source = await place.store(1, *pieces)
    assert await texts(read_log([source], LogQuery(whole_lines=False))) == pieces


async def test_what_is_missing_is_told(place: Place):
    gap = Record(some_records(b"")[0].time_ns + 10**9, Stream.GAP, b"", 2, 100, 3)
    source = await place.store(1, b"a\n", extra=[gap])
    lines = [line async for line in read_log([source], LogQuery(grep="nothing"))]
    assert [(line.stream, line.data) for line in lines] == [
        (Stream.GAP, b"[100 bytes (3 lines) of output are missing here]\n")
    ]


@pytest.mark.parametrize(
    "query",
    [LogQuery(grep="("), LogQuery(since=datetime(2026, 1, 1)), LogQuery(tail=-1), LogQuery(from_offset=-1)],  # noqa: DTZ001 - the mistake that is tested
)
async def test_what_makes_no_sense_is_refused(place: Place, query: LogQuery):
    source = await place.store(1, b"x\n")
    with pytest.raises(BadQuery):
        await texts(read_log([source], query))
    with pytest.raises(BadQuery):
        await texts(follow_log(Told([source]), query))


async def test_a_log_that_is_gone(place: Place):
    gone = LogSource(place.url, (await place.store(1, b"x\n")).locator, 1)
    await place.sink.delete(gone.locator)
    with pytest.raises(LogPurged):
        await texts(read_log([gone], LogQuery()))
    left = await place.store(2, b"y\n")
    assert await texts(read_log([gone, left], LogQuery())) == [b"y\n"]


async def test_reading_after_the_end_waits_for_the_last_bytes(place: Place):
    """A task has ended, its last line is still on the way to the sink."""
    source = await place.write(1, b"one\n")

    async def ended() -> bool:
        return True

    reading = asyncio.create_task(texts(read_log([source], LogQuery(), ended=ended)))
    await asyncio.sleep(0)
    await place.write(1, b"two\n", 4)
    await place.seal(1, b"one\ntwo\n")
    assert await reading == [b"one\n", b"two\n"]


class Told:
    """A task, as a follower is told of it."""

    def __init__(self, sources: Sequence[LogSource] = ()) -> None:
        self.known = list(sources)
        self.over = False
        self.news = asyncio.Event()

    def tell(self, *sources: LogSource, over: bool = False) -> None:
        self.known += sources
        self.over = over
        self.news.set()
        self.news = asyncio.Event()

    async def sources(self) -> Sequence[LogSource]:
        return self.known

    async def ended(self) -> bool:
        return self.over

    async def changed(self) -> None:
        await self.news.wait()


class Following:
    """A follower that is asked for one line after another."""

    def __init__(self, told: Told, query: LogQuery | None = None) -> None:
        self._lines = follow_log(told, query or LogQuery(follow=True))

    async def line(self) -> bytes:
        async with asyncio.timeout(10):
            return (await anext(self._lines)).data

    async def over(self) -> bool:
        async with asyncio.timeout(10):
            return await anext(self._lines, None) is None


async def test_following_from_before_the_start_over_a_retry_to_the_end(place: Place):
    told = Told()
    following = Following(told)
    first = asyncio.create_task(following.line())
    await asyncio.sleep(0)
    told.tell(await place.write(1, b"one\n"))
    assert await first == b"one\n"
    second = asyncio.create_task(following.line())
    await asyncio.sleep(0)
    await place.write(1, b"two\n", 4)
    assert await second == b"two\n"
    await place.seal(1, b"one\ntwo\n")
    third = asyncio.create_task(following.line())
    await asyncio.sleep(0)
    told.tell(await place.write(2, b"three\n"))
    assert await third == b"three\n"
    await place.seal(2, b"three\n")
    told.tell(over=True)
    assert await following.over()


async def test_a_prompt_is_shown(place: Place):
    told = Told([await place.write(1, b"name? ")])
    lines = follow_log(told, LogQuery(follow=True))
    prompt = await anext(lines)
    assert (prompt.data, prompt.partial) == (b"name? ", True)
    await place.write(1, b"Ada\n", 6)
    assert (await anext(lines)).data == b"Ada\n"
    await lines.aclose()  # type: ignore[attr-defined]


async def test_following_from_the_tail(place: Place):
    told = Told([await place.write(1, b"1\n2\n3\n4\n")])
    following = Following(told, LogQuery(follow=True, tail=2))
    assert [await following.line(), await following.line()] == [b"3\n", b"4\n"]
    await place.write(1, b"5\n", 8)
    assert await following.line() == b"5\n"
    await place.seal(1, b"1\n2\n3\n4\n5\n")
    told.tell(over=True)
    assert await following.over()


async def test_the_last_line_without_a_newline(place: Place):
    told = Told([await place.store(1, b"one\nend")])
    told.tell(over=True)
    assert await texts(follow_log(told, LogQuery(follow=True))) == [b"one\n", b"end"]


async def test_a_log_that_nobody_seals_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("logsinks.reading.following.SILENCE_S", 0.01)
    told = Told([await place.write(1, b"one\n")])
    told.tell(over=True)
    assert await texts(follow_log(told, LogQuery(follow=True))) == [b"one\n"]


async def test_a_silent_task_that_has_ended(place: Place):
    told = Told()
    told.tell(over=True)
    assert await texts(follow_log(told, LogQuery(follow=True))) == []


async def test_following_without_inotify(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("logsinks.sinks.local.watch._libc", lambda: None)
    told = Told([await place.write(1, b"one\n")])
    following = Following(told)
    assert await following.line() == b"one\n"
    second = asyncio.create_task(following.line())
    await asyncio.sleep(0)
    await place.write(1, b"two\n", 4)
    assert await second == b"two\n"
    await place.seal(1, b"one\ntwo\n")
    told.tell(over=True)
    assert await following.over()


async def test_known_logs_can_be_followed_with_a_question_alone(place: Place):
    source = await place.store(1, b"one\n")

    async def ended() -> bool:
        return True

    assert await texts(read_log([source], LogQuery(follow=True), ended=ended)) == [b"one\n"]
