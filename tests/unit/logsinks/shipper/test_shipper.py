from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from logsinks.capture import channel
from logsinks.contract import NamedSink
from logsinks.errors import Busy, Denied, Refused, SpoolNotFound
from logsinks.registry import open_sink
from logsinks.shipper import Shipper, SinkState
from logsinks.spool.reader import segments
from logsinks.testing import FaultySink, MemorySink
from logsinks.testing.conformance import an_attempt
from tests.unit.logsinks.support_logs import Opened, capturing, shipping


async def printed(spool: Path, *lines: bytes, number: int = 1) -> None:
    """An attempt that has printed these lines and ended."""
    async with capturing(spool) as capture:
        pipes = await capture.open_pipes(an_attempt(number))
        for line in lines:
            os.write(pipes.stdout_fd, line)
        pipes.close()
        await capture.seal(*an_attempt(number).key)


async def test_a_line_is_in_the_sink_while_the_task_runs(tmp_path: Path):
    sink, opened = MemorySink(), Opened()
    async with (
        shipping(tmp_path, sink, opened.told) as shipper,
        capturing(tmp_path, on_growth=shipper.growth) as capture,
    ):
        pipes = await capture.open_pipes(an_attempt())
        os.write(pipes.stdout_fd, b"now\n")
        async with asyncio.timeout(10):
            log = sink.logs[await opened.locator(an_attempt().key)]
            while log.data != b"now\n":
                log.changed.clear()
                await log.changed.wait()
        assert log.trailer is None
        pipes.close()
        await capture.seal(*an_attempt().key)
    assert log.trailer is not None
    assert (log.trailer.bytes, log.trailer.lines) == (4, 1)


async def test_what_is_shipped_leaves_the_spool(tmp_path: Path):
    await printed(tmp_path, b"x\n")
    sink = MemorySink()
    async with shipping(tmp_path, sink):
        pass
    assert segments(tmp_path) == []
    assert sink.calls == ["store", "write", "seal", "sync", "close"]


async def test_it_stays_where_a_sink_cant_sync(tmp_path: Path):
    await printed(tmp_path, b"x\n")
    sink = FaultySink(MemorySink(), lambda moment: OSError("no space") if moment == "sync" else None)
    async with shipping(tmp_path, sink):
        pass
    assert len(segments(tmp_path)) == 1


async def test_one_sink_doesnt_wait_for_another(tmp_path: Path):
    await printed(tmp_path, b"x\n")
    good, opened = MemorySink(), Opened()
    down = FaultySink(MemorySink(), lambda _: Busy("down", after=60))
    sinks = [NamedSink("down", down), NamedSink("good", good)]
    shipper = Shipper(tmp_path, sinks, on_opened=opened.told)
    await shipper.start()
    await opened.locator(an_attempt().key)
    stats = shipper.stats().sinks
    assert stats["good"].sealed_logs == 1
    assert stats["good"].lag_bytes == 0
    assert stats["down"].state is SinkState.BACKING_OFF
    assert stats["down"].last_error == "down"
    await shipper.stop(0)
    assert len(segments(tmp_path)) == 1, "the sink that is down will want it"
    later = MemorySink()
    again = Shipper(tmp_path, [NamedSink("down", later), NamedSink("good", good)], on_opened=lambda *_: None)
    await again.start()
    await again.stop(10)
    assert [log.data for log in later.logs.values()] == [b"x\n"]
    assert good.calls.count("store") == 1, "its position was kept"
    assert segments(tmp_path) == []


async def test_a_sink_that_denies_pauses(tmp_path: Path):
    await printed(tmp_path, b"x\n")
    denied = asyncio.Event()
    loop = asyncio.get_running_loop()

    def fault(_: str) -> Exception:
        loop.call_soon_threadsafe(denied.set)
        return Denied("no such bucket")

    shipper = Shipper(tmp_path, [NamedSink("s3", FaultySink(MemorySink(), fault))], on_opened=lambda *_: None)
    await shipper.start()
    await denied.wait()
    async with asyncio.timeout(10):
        while shipper.stats().sinks["s3"].state is not SinkState.DENIED:
            await asyncio.sleep(0)
    await shipper.stop(0)
    assert len(segments(tmp_path)) == 1


async def test_what_is_refused_is_passed_over_and_counted(tmp_path: Path):
    await printed(tmp_path, b"x\n")
    refusals = iter([Refused("too odd", watermark=2)])
    inner = MemorySink()
    sink = FaultySink(inner, lambda moment: next(refusals, None) if moment == "store" else None)
    async with shipping(tmp_path, sink) as shipper:
        pass
    assert shipper.stats().sinks["sink"].refused_records == 1
    (log,) = inner.logs.values()
    assert log.data == b""
    assert log.trailer is not None


async def test_no_such_folder(tmp_path: Path):
    shipper = Shipper(tmp_path / "none", [], on_opened=lambda *_: None)
    with pytest.raises(SpoolNotFound):
        await shipper.start()


def test_names_of_sinks_are_unique(tmp_path: Path):
    with pytest.raises(ValueError, match="one name"):
        Shipper(tmp_path, [NamedSink("a", MemorySink()), NamedSink("a", MemorySink())], on_opened=lambda *_: None)


async def test_lost_and_rubbish_positions_cost_nothing(tmp_path: Path):
    spool, logs = tmp_path / "spool", tmp_path / "logs"
    await printed(spool, b"x\n")
    (spool / "positions").mkdir()
    (spool / "positions" / "sink.json").write_text('{"a": [1]}')
    async with shipping(spool, open_sink(f"file://{logs}?template={{task_id}}", "sink")):
        pass
    assert [path.read_bytes() for path in logs.iterdir()] == [b"x\n"]


async def test_one_line_each_of_many_attempts(tmp_path: Path):
    """One file each, and no index beside it."""
    spool, logs = tmp_path / "spool", tmp_path / "logs"
    sink = open_sink(f"file://{logs}?template={{hash2}}/{{task_id}}", "sink")
    async with shipping(spool, sink) as shipper, capturing(spool, on_growth=shipper.growth) as capture:
        fd = await capture.open_channel("worker")
        for number in range(1, 301):
            frames = channel.frame(7, 0, an_attempt(number).to_json()) + channel.frame(7, 1, b"%d\n" % number)
            os.write(fd, frames + channel.frame(7, 3))
        for number in range(1, 301):
            await capture.sealed(*an_attempt(number).key)
        os.close(fd)
    files = sorted(logs.glob("*/*"))
    assert len(files) == 300
    assert {path.read_bytes() for path in files} == {b"%d\n" % number for number in range(1, 301)}


async def test_a_damaged_segment_is_put_aside(tmp_path: Path):
    await printed(tmp_path, b"x\n" * 1000)
    (name,) = segments(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[600] ^= 1
    (tmp_path / name).write_bytes(content)
    sink = MemorySink()
    async with shipping(tmp_path, sink) as shipper:
        pass
    assert shipper.stats().damaged_segments == 1
    assert [path.suffix for path in tmp_path.glob("*.damaged")] == [".damaged"]
    (log,) = sink.logs.values()
    assert log.trailer is not None
    assert log.trailer.interrupted
