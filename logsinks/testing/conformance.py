"""What every sink must pass.

A test class derives from :class:`SinkConformance` and gives a sink:

.. code-block:: python

    class TestMySink(SinkConformance):
        def make(self) -> Sink:      # each call: a new sink on the same destination, as after a restart
            return MySink(self.place)

The methods are tests for pytest with pytest-asyncio in automatic mode. They use nothing else.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from datetime import UTC, datetime, timedelta

from logsinks.contract import Batch, Sink, Trailer
from logsinks.errors import LogReadError
from logsinks.identity import AttemptIdentity
from logsinks.record import Record, Stream

_START = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
_START_NS = int(_START.timestamp()) * 1_000_000_000


def an_attempt(number: int = 1, attempt: int = 1) -> AttemptIdentity:
    """An identity for tests; other numbers, other tasks."""
    return AttemptIdentity(
        task_id=f"019cec9c-4d07-8001-8000-{number:012x}",
        attempt=attempt,
        task_name="report",
        domain="default",
        queue="default",
        shepherd="local",
        host="host",
        started=_START,
        labels={"team": "x"},
    )


def some_records(*pieces: bytes, start: int = 0, first_ms: int = 0) -> list[Record]:
    """Records one after another, 20 ms apart, standard output and standard error in turns."""
    records: list[Record] = []
    for number, piece in enumerate(pieces):
        stream = Stream.ERR if number % 2 else Stream.OUT
        records.append(Record(_START_NS + (first_ms + 20 * number) * 1_000_000, stream, piece, start))
        start += len(piece)
    return records


def a_trailer(data: bytes) -> Trailer:
    """What seals a log of these bytes."""
    return Trailer(
        bytes=len(data), lines=data.count(b"\n"), ended_ns=_START_NS + 10**9, sha256=hashlib.sha256(data).hexdigest()
    )


async def stored(sink: Sink, locator: str, start: int = 0, end: int | None = None) -> bytes:
    """What a reader of the sink gives for a log, or a part of it."""
    reader = sink.reader()
    assert reader is not None, "a sink that can't be read is tested by its own means"
    return b"".join([record.data async for record in reader.read(locator, start, end)])


class SinkConformance:
    """See the module."""

    @abstractmethod
    def make(self) -> Sink:
        """A new sink on the destination of this test."""

    async def test_is_healthy(self) -> None:
        """The check says so, and what it tried."""
        health = await self.make().check()
        assert health.ok, health.checks
        assert health.checks

    async def test_whole_log_at_once(self) -> None:
        """`store` of a short log is all it takes."""
        sink = self.make()
        locator = await sink.store(Batch(an_attempt(), some_records(b"one line\n")), a_trailer(b"one line\n"))
        await sink.sync()
        await sink.close()
        assert await stored(self.make(), locator) == b"one line\n"

    async def test_pieces_in_order(self) -> None:
        """`open`, `write` and `seal` give every byte once, in order."""
        sink = self.make()
        opened = await sink.open(an_attempt())
        assert opened.watermark == 0
        first = some_records(b"one\n", b"two\n", b"thr")
        assert await sink.write(Batch(an_attempt(), first)) == 11
        assert await sink.write(Batch(an_attempt(), some_records(b"ee\n", start=11, first_ms=100))) == 14
        locator = await sink.seal(an_attempt(), a_trailer(b"one\ntwo\nthree\n"))
        assert locator == opened.locator
        assert await stored(sink, locator) == b"one\ntwo\nthree\n"
        await sink.close()

    async def test_a_repeat_is_harmless(self) -> None:
        """The same batch again, a longer one, and every other call twice."""
        sink = self.make()
        await sink.open(an_attempt())
        await sink.write(Batch(an_attempt(), some_records(b"one\n")))
        await sink.write(Batch(an_attempt(), some_records(b"one\n")))
        assert await sink.write(Batch(an_attempt(), some_records(b"one\n", b"two\n"))) == 8
        await sink.seal(an_attempt(), a_trailer(b"one\ntwo\n"))
        locator = await sink.seal(an_attempt(), a_trailer(b"one\ntwo\n"))
        assert await stored(sink, locator) == b"one\ntwo\n"
        await sink.close()

    async def test_store_after_a_part(self) -> None:
        """A whole log over what a crash left of it, and over itself."""
        sink = self.make()
        await sink.open(an_attempt())
        await sink.write(Batch(an_attempt(), some_records(b"one\n")))
        await sink.close()
        for _ in range(2):
            sink = self.make()
            locator = await sink.store(Batch(an_attempt(), some_records(b"one\n", b"two\n")), a_trailer(b"one\ntwo\n"))
            assert await stored(sink, locator) == b"one\ntwo\n"
            await sink.close()

    async def test_the_destination_knows(self) -> None:
        """A new sink, with no memory, is told by the destination how far the log is, at any byte."""
        data = b"one\ntwo\nthree\n"
        locator = ""
        for end in range(1, len(data) + 1):
            sink = self.make()
            opened = await sink.open(an_attempt())
            assert opened.watermark == end - 1
            batch = Batch(an_attempt(), some_records(data[end - 1 : end], start=end - 1, first_ms=end * 20))
            assert await sink.write(batch) == end
            locator = opened.locator
            await sink.close()
        sink = self.make()
        await sink.open(an_attempt())
        await sink.seal(an_attempt(), a_trailer(data))
        assert await stored(sink, locator) == data
        await sink.close()

    async def test_attempts_are_apart(self) -> None:
        """Two attempts of a task, and two tasks, never share a log."""
        sink = self.make()
        locators: dict[str, bytes] = {}
        for number, attempt in ((1, 1), (1, 2), (2, 1)):
            data = f"{number} {attempt}\n".encode()
            locator = await sink.store(Batch(an_attempt(number, attempt), some_records(data)), a_trailer(data))
            locators[locator] = data
        assert len(locators) == 3
        for locator, data in locators.items():
            assert await stored(sink, locator) == data
        await sink.close()

    async def test_live_reading(self) -> None:
        """What was written can be read before the end, where the sink says so; and the end is told."""
        sink = self.make()
        if not sink.capabilities.live_read:
            return
        opened = await sink.open(an_attempt())
        await sink.write(Batch(an_attempt(), some_records(b"one\n")))
        reader = sink.reader()
        assert reader is not None
        extent = await reader.extent(opened.locator)
        assert (extent.bytes, extent.sealed) == (4, False)
        assert await stored(sink, opened.locator) == b"one\n"
        await sink.seal(an_attempt(), a_trailer(b"one\n"))
        await reader.changed(opened.locator, extent, 10)
        assert (await reader.extent(opened.locator)).sealed
        await sink.close()

    async def test_ranges(self) -> None:
        """Any part gives the bytes of that part, with their streams."""
        sink = self.make()
        if not sink.capabilities.ranged_read:
            return
        data = b"out one\nerr two\nout three\n"
        records = some_records(b"out one\n", b"err two\n", b"out three\n")
        locator = await sink.store(Batch(an_attempt(), records), a_trailer(data))
        for start in range(len(data) + 1):
            for end in (start, start + 1, start + 9, len(data), None):
                assert await stored(sink, locator, start, end) == data[start:end]
        reader = sink.reader()
        assert reader is not None
        found = [(record.stream, record.data) async for record in reader.read(locator)]
        assert found == [(record.stream, record.data) for record in records]
        await sink.close()

    async def test_seeking(self) -> None:
        """By time never too late, by lines exactly."""
        sink = self.make()
        reader = sink.reader()
        if not sink.capabilities.ranged_read or reader is None:
            return
        records = some_records(*(f"line {number}\n".encode() for number in range(50)))
        data = b"".join(record.data for record in records)
        locator = await sink.store(Batch(an_attempt(), records), a_trailer(data))
        for number in (0, 1, 25, 49):
            time = _START + timedelta(milliseconds=20 * number)
            offset = await reader.seek_time(locator, time)
            assert offset <= records[number].offset
            assert offset >= records[max(0, number - 1)].offset
        for lines in (0, 1, 7, 50, 60):
            assert data[await reader.seek_tail(locator, lines) :].count(b"\n") == min(lines, 50)
        await sink.close()

    async def test_gaps_are_kept(self) -> None:
        """That something is missing, and how much, comes back where it was."""
        sink = self.make()
        reader = sink.reader()
        if reader is None:
            return
        gap = Record(_START_NS + 10**8, Stream.GAP, b"", 4, 100, 3)
        records = [*some_records(b"one\n"), gap, *some_records(b"two\n", start=4, first_ms=200)]
        locator = await sink.store(Batch(an_attempt(), records), a_trailer(b"one\ntwo\n"))
        found = [record async for record in reader.read(locator)]
        assert [record.stream for record in found] == [Stream.OUT, Stream.GAP, Stream.OUT]
        assert (found[1].offset, found[1].missing_bytes, found[1].missing_lines) == (4, 100, 3)
        await sink.close()

    async def test_deleting(self) -> None:
        """A deleted log is gone; deleting it again is harmless."""
        sink = self.make()
        locator = await sink.store(Batch(an_attempt(), some_records(b"one\n")), a_trailer(b"one\n"))
        await sink.delete(locator)
        await sink.delete(locator)
        try:
            gone = await stored(sink, locator)
        except LogReadError:
            gone = b""
        assert gone == b""
        await sink.close()

    async def test_awkward_bytes(self) -> None:
        """Bytes are bytes: zeros, no newline at the end, half characters, a line of many kilobytes."""
        sink = self.make()
        data = b"\x00\xff\xfe\r\n" + b"x" * 300_000 + b"\n\n\xe2\x82"
        locator = await sink.store(Batch(an_attempt(), some_records(data)), a_trailer(data))
        assert await stored(sink, locator) == data
        await sink.close()
