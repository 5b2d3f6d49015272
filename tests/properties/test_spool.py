"""The spool, with the crash as one of the actions: cut at any byte, mended, shipped; nothing doubled, nothing torn."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from logsinks.capture import channel
from logsinks.capture.channel_unit import ChannelUnit
from logsinks.capture.leftovers import Leftovers
from logsinks.contract import NamedSink, Sink
from logsinks.errors import Busy
from logsinks.registry import open_sink
from logsinks.shipper.positions import Position
from logsinks.shipper.pump import Pump
from logsinks.shipper.retrying import Breaker
from logsinks.spool import layout
from logsinks.spool.reader import SegmentReader, segments
from logsinks.spool.writer import SpoolWriter
from logsinks.testing import FaultySink, MemorySink
from logsinks.testing.conformance import an_attempt

TAGS = st.integers(1, 3)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("out"), TAGS, st.binary(min_size=1, max_size=120)),
        st.tuples(st.just("err"), TAGS, st.binary(min_size=1, max_size=120)),
        st.tuples(st.just("end"), TAGS, st.just(b"")),
    ),
    max_size=40,
)


@contextmanager
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp())
    try:
        yield path
    finally:
        shutil.rmtree(path)


class Written:
    """A unit with small segments, fed with actions; knows what should be in it."""

    def __init__(self, path: Path, unit: str = "0" * 24) -> None:
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        self.time = 0
        self.writer = SpoolWriter(str(path), unit, self.tick, segment_bytes=700)
        self.unit = ChannelUnit(self.writer, "worker", self.read_end, set(), self.tick)
        self.live: dict[int, int] = {}
        self.logs: dict[int, bytes] = {}
        self.ended: set[int] = set()

    def tick(self) -> int:
        self.time += 1_000_000
        return self.time

    def act(self, kind: str, tag: int, data: bytes) -> None:
        if kind == "end":
            if tag in self.live:
                self.ended.add(self.live.pop(tag))
                self.send(channel.frame(tag, channel.END))
            return
        if tag not in self.live:
            number = self.live[tag] = len(self.logs) + 1
            self.logs[number] = b""
            self.send(channel.frame(tag, channel.BEGIN, an_attempt(number).to_json()))
        self.logs[self.live[tag]] += data
        self.send(channel.frame(tag, channel.OUT if kind == "out" else channel.ERR, data))

    def send(self, data: bytes) -> None:
        os.write(self.write_end, data)
        self.unit.read(self.read_end, dropping=False)

    def close(self) -> None:
        os.close(self.write_end)
        os.close(self.read_end)
        _, closing, _ = self.writer.take_dirty()
        for fd in closing:
            os.close(fd)


class Impatient(Breaker):
    """Tries again at once."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)

    def failed(self, error: BaseException) -> float:
        super().failed(error)
        return 0.0


def a_pump(path: Path, sink: Sink, positions: dict[str, Position] | None = None) -> Pump:
    pump = Pump(path, NamedSink("sink", sink), positions or {}, Impatient(), lambda *_: None)
    for name in segments(path):
        pump.add_segment(name)
    return pump


async def ship(path: Path, sink: Sink) -> Pump:
    pump = a_pump(path, sink)
    while await pump._round():
        pass
    pump.close()
    return pump


def logs_of(sink: MemorySink) -> dict[int, bytes]:
    return {int(locator.split("/")[0].rpartition("-")[2], 16): log.data for locator, log in sink.logs.items()}


@given(ACTIONS)
@settings(deadline=None, max_examples=60)
def test_everything_arrives(actions: list[tuple[str, int, bytes]]):
    with folder() as path:
        written = Written(path)
        for action in actions:
            written.act(*action)
        sink = MemorySink()
        asyncio.run(ship(path, sink))
        assert logs_of(sink) == written.logs
        sealed = {locator for locator, log in sink.logs.items() if log.trailer is not None}
        assert len(sealed) == len(written.ended)
        written.close()


@given(ACTIONS, st.integers(0, 10_000), st.binary(max_size=30))
@settings(deadline=None, max_examples=100)
def test_a_torn_tail_costs_the_tail_alone(actions: list[tuple[str, int, bytes]], cut: int, rubbish: bytes):
    """Cut the last segment anywhere, perhaps with rubbish behind: what was before it stays, and all is ended."""
    with folder() as path:
        written = Written(path)
        for action in actions:
            written.act(*action)
        names = segments(path)
        last_is_open = written.writer.open
        written.close()
        cut_bytes = 0
        if names and last_is_open:
            last = path / names[-1]
            size = last.stat().st_size
            cut_bytes = min(cut, size)
            with last.open("rb+") as file:
                file.truncate(size - cut_bytes)
                file.seek(0, os.SEEK_END)
                file.write(rubbish)
        Leftovers(str(path)).settle()
        again = Leftovers(str(path))
        assert not again.settle(), "mending twice finds nothing"
        sink = MemorySink()
        asyncio.run(ship(path, sink))
        for name in segments(path):
            reader = SegmentReader(path / name)
            while reader.read():
                pass
            assert reader.closed
            reader.close()
        found = logs_of(sink)
        for number, data in found.items():
            assert written.logs[number].startswith(data)
        lost = sum(len(data) for data in written.logs.values()) - sum(map(len, found.values()))
        assert lost <= cut_bytes + 120, "no more than what was cut, and the frame in which the cut lay"
        assert all(log.trailer is not None for log in sink.logs.values())
        for locator, log in sink.logs.items():
            number = int(locator.split("/")[0].rpartition("-")[2], 16)
            assert log.trailer is not None
            assert log.trailer.interrupted or number in written.ended
            assert log.trailer.bytes == len(log.data)


@given(ACTIONS, st.integers(0, 2**32), st.booleans())
@settings(deadline=None, max_examples=60)
def test_shippers_may_die_at_any_call(actions: list[tuple[str, int, bytes]], seed: int, short: bool):
    """Answers get lost, calls fail, shippers die and others start, with positions that are fresh, old or gone."""
    chance = random.Random(seed)

    class Died(BaseException):
        pass

    def fault(moment: str) -> Exception | None:
        throw = chance.random()
        if throw < 0.1:
            raise Died(moment)
        return Busy("not now") if throw < 0.3 else None

    async def many_lives(path: Path, url: str, written: Written) -> None:
        positions: dict[str, Position] = {}
        todo = list(actions)
        for life in range(200):
            sink = FaultySink(open_sink(url, "local"), fault if life < 199 else lambda _: None, short=short)
            pump = a_pump(path, sink, dict(positions) if chance.random() < 0.7 else {})
            try:
                while True:
                    for _ in range(chance.randrange(3)):
                        if todo:
                            written.act(*todo.pop(0))
                    for name in segments(path):
                        if name not in pump._sources and name not in pump.done_with():
                            pump.add_segment(name)
                    if not await pump._round() and not todo:
                        return
                    if chance.random() < 0.5:
                        positions = pump.positions()
            except Died:
                pass
            finally:
                pump.close()
                await sink.close()

    with folder() as path, folder() as root:
        written = Written(path)
        asyncio.run(many_lives(path, f"file://{root}?template={{task_id}}", written))
        found = {
            int(file.name.removesuffix(".log").rpartition("-")[2], 16): file.read_bytes() for file in root.glob("*.log")
        }
        assert found == written.logs
        written.close()


@given(ACTIONS.filter(bool), st.data())
@settings(deadline=None, max_examples=60)
def test_damage_is_found_and_costs_one_segment(actions: list[tuple[str, int, bytes]], data: st.DataObject):
    """A flipped bit anywhere: no wrong byte is shipped, and what other segments hold still arrives."""
    with folder() as path:
        written = Written(path)
        for action in actions:
            written.act(*action)
        written.close()
        Leftovers(str(path)).settle()
        names = segments(path)
        if not names:
            return
        victim = path / data.draw(st.sampled_from(names))
        content = bytearray(victim.read_bytes())
        place = data.draw(st.integers(layout.HEADER_SIZE, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        victim.write_bytes(content)
        sink = MemorySink()
        asyncio.run(ship(path, sink))
        for number, found in logs_of(sink).items():
            whole = written.logs[number]
            cuts = range(len(found) + 1)
            assert any(whole.startswith(found[:cut]) and whole.endswith(found[cut:]) for cut in cuts)
        assert all(log.trailer is not None for log in sink.logs.values())
