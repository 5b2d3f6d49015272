"""The real process: what it captures, what it survives, and that it goes when it isn't needed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from logsinks.capture import channel
from logsinks.capture.client import Capture, HeldLogs, SpoolQuota
from logsinks.errors import CatcherUnavailable, SealTimeout
from logsinks.spool.reader import SegmentReader, segments
from logsinks.testing import MemorySink
from logsinks.testing.conformance import an_attempt
from tests.unit.logsinks.support_logs import capturing, shipping


def spooled(spool: Path) -> dict[int, bytes]:
    """The output in the spool by stream."""
    found = {1: b"", 2: b""}
    for name in segments(spool):
        reader = SegmentReader(spool / name)
        while frames := reader.read():
            for frame in frames:
                if frame.stream in found:
                    found[frame.stream] += frame.payload
        reader.close()
    return found


async def test_both_streams_are_captured_and_sealed(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        pipes = await capture.open_pipes(an_attempt())
        os.write(pipes.stdout_fd, b"out\n")
        os.write(pipes.stderr_fd, b"err\n")
        sealed = await capture.seal(*an_attempt().key)
        assert (sealed.bytes, sealed.lines, sealed.interrupted, sealed.synced) == (8, 2, False, True)
        with pytest.raises(BrokenPipeError):
            os.write(pipes.stdout_fd, b"too late")
        pipes.close()
        assert spooled(tmp_path) == {1: b"out\n", 2: b"err\n"}


async def test_silence_costs_no_file(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        pipes = await capture.open_pipes(an_attempt())
        pipes.close()
        sealed = await capture.seal(*an_attempt().key)
        assert sealed.bytes == 0
        fd = await capture.open_channel("worker")
        os.close(fd)
        assert segments(tmp_path) == []


async def test_an_unknown_attempt_is_empty(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        assert (await capture.seal("nobody", 1)).bytes == 0


async def test_sealing_takes_what_lies_in_the_pipe(tmp_path: Path):
    """More than one buffer, written by somebody who doesn't end."""
    async with capturing(tmp_path) as capture:
        pipes = await capture.open_pipes(an_attempt())
        data = os.urandom(200_000)
        await asyncio.to_thread(os.write, pipes.stdout_fd, data)
        assert (await capture.seal(*an_attempt().key)).bytes == len(data)
        assert spooled(tmp_path)[1] == data
        pipes.close()


async def test_many_attempts_in_one_channel(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        fd = await capture.open_channel("worker")
        for number in range(1, 51):
            os.write(fd, channel.frame(number, channel.BEGIN, an_attempt(number).to_json()))
            os.write(fd, channel.frame(number, channel.OUT, b"line %d\n" % number))
        for number in range(1, 51):
            os.write(fd, channel.frame(number, channel.END))
        logs = [await capture.sealed(*an_attempt(number).key) for number in range(1, 51)]
        assert all(log.lines == 1 and not log.interrupted for log in logs)
        os.close(fd)
        assert len(segments(tmp_path)) == 1


HOSTILE = {
    "no frame": b"\xff" * 100,
    "too long": channel.FRAME.pack(1, 1, 1 << 30),
    "no identity": channel.frame(1, 0, b"rubbish") + channel.frame(1, 1, b"x") + channel.frame(1, 3),
    "deep identity": channel.frame(1, 0, b"[" * 60_000),
    "wrong identity": channel.frame(1, 0, b'{"task_id":[],"attempt":"1"}'),
    "unknown tags": channel.frame(9, 1, b"x") * 100 + channel.frame(9, 3) * 3,
    "somebody else's log": channel.frame(1, 0, an_attempt(1).to_json()) + channel.frame(1, 1, b"forged\n"),
    "begins twice": channel.frame(5, 0, an_attempt(5).to_json()) + channel.frame(5, 0, an_attempt(6).to_json()),
    "half a frame": channel.frame(1, 0, an_attempt(7).to_json())[:50],
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_worker_disturbs_nobody(tmp_path: Path, data: bytes):
    async with capturing(tmp_path) as capture:
        pid = capture.catcher_pid
        pipes = await capture.open_pipes(an_attempt(1))
        os.write(pipes.stdout_fd, b"before\n")
        good, evil = await capture.open_channel("good"), await capture.open_channel("evil")
        os.write(good, channel.frame(1, 0, an_attempt(2).to_json()) + channel.frame(1, 1, b"good\n"))
        os.write(evil, data)
        os.close(evil)
        os.write(good, channel.frame(1, 3))
        assert (await capture.sealed(*an_attempt(2).key)).bytes == 5
        os.write(pipes.stdout_fd, b"after\n")
        assert (await capture.seal(*an_attempt(1).key)).bytes == len(b"before\nafter\n")
        assert capture.catcher_pid == pid
        assert b"forged" not in spooled(tmp_path)[1]
        pipes.close()
        os.close(good)


async def test_a_worker_that_dies_ends_its_attempts(tmp_path: Path):
    ended: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    async with capturing(tmp_path, on_channel_ended=lambda *told: ended.set_result(told)) as capture:
        fd = await capture.open_channel("worker")
        os.write(fd, channel.frame(1, 0, an_attempt().to_json()) + channel.frame(1, 1, b"half"))
        os.close(fd)
        log = await capture.sealed(*an_attempt().key)
        assert (log.bytes, log.interrupted) == (4, True)
        assert await ended == ("worker", "")


async def test_another_client_goes_on_with_what_runs(tmp_path: Path):
    """A shepherd that starts anew: the pipes are where they were."""
    first = await Capture.start(tmp_path, on_growth=lambda: None)
    pipes = await first.open_pipes(an_attempt())
    os.write(pipes.stdout_fd, b"one\n")
    await first.close()
    os.write(pipes.stdout_fd, b"two\n")
    async with capturing(tmp_path) as second:
        assert second.catcher_pid == first.catcher_pid
        assert second.adopted() == [an_attempt().key]
        os.write(pipes.stdout_fd, b"three\n")
        assert (await second.seal(*an_attempt().key)).lines == 3
        assert spooled(tmp_path)[1] == b"one\ntwo\nthree\n"
        pipes.close()


async def test_a_dead_catcher_is_replaced(tmp_path: Path):
    """The pipes are held by the client too: the task notices nothing, and its log goes on."""
    async with capturing(tmp_path) as capture:
        pipes = await capture.open_pipes(an_attempt())
        silent = await capture.open_pipes(an_attempt(2))
        os.write(pipes.stdout_fd, b"one\n")
        while spooled(tmp_path)[1] != b"one\n":
            await asyncio.sleep(0)
        os.kill(capture.catcher_pid, signal.SIGKILL)
        os.write(pipes.stdout_fd, b"two\n")
        sealed = await capture.seal(*an_attempt().key)
        assert (sealed.bytes, sealed.lines) == (8, 2)
        silent.close()
        assert (await capture.seal(*an_attempt(2).key)).bytes == 0
        pipes.close()
        sink = MemorySink()
        async with shipping(tmp_path, sink):
            pass
        (log,) = sink.logs.values()
        assert log.data == b"one\ntwo\n"
        assert log.trailer is not None
        assert not log.trailer.interrupted


async def test_a_channel_of_a_dead_catcher_is_told_as_ended(tmp_path: Path):
    ended: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    async with capturing(tmp_path, on_channel_ended=lambda *told: ended.set_result(told)) as capture:
        fd = await capture.open_channel("worker")
        os.kill(capture.catcher_pid, signal.SIGKILL)
        name, why = await ended
        assert name == "worker"
        assert why
        os.close(fd)
        again = await capture.open_channel("another")
        os.write(again, channel.frame(1, 0, an_attempt().to_json()) + channel.frame(1, 1, b"x") + channel.frame(1, 3))
        assert (await capture.sealed(*an_attempt().key)).bytes == 1
        os.close(again)


async def test_it_ends_when_nobody_needs_it(tmp_path: Path):
    capture = await Capture.start(tmp_path, on_growth=lambda: None)
    process = os.pidfd_open(capture.catcher_pid)
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(process, ended.set_result, None)
    await capture.close()
    async with asyncio.timeout(10):
        await ended
    asyncio.get_running_loop().remove_reader(process)
    os.close(process)
    assert (tmp_path / "catcher.log").read_bytes() == b""


async def test_signals_for_the_shepherd_dont_end_it(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        pid = capture.catcher_pid
        assert os.getsid(pid) != os.getsid(0)
        assert int((tmp_path / "catcher.lock").read_text()) == pid
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
        pipes = await capture.open_pipes(an_attempt())
        os.write(pipes.stdout_fd, b"x\n")
        assert (await capture.seal(*an_attempt().key)).bytes == 2
        assert capture.catcher_pid == pid
        pipes.close()


async def test_growth_is_told(tmp_path: Path):
    grown = asyncio.Event()
    async with capturing(tmp_path, on_growth=grown.set) as capture:
        pipes = await capture.open_pipes(an_attempt())
        os.write(pipes.stdout_fd, b"x")
        async with asyncio.timeout(10):
            await grown.wait()
        pipes.close()


@pytest.mark.slow
async def test_a_full_spool_holds_the_task_and_says_so(tmp_path: Path):
    held: asyncio.Queue[HeldLogs] = asyncio.Queue()
    quota = SpoolQuota(unit=300_000, policy="hold")
    async with capturing(tmp_path, on_held=held.put_nowait, quota=quota) as capture:
        pipes = await capture.open_pipes(an_attempt())
        data = os.urandom(2_000_000)
        writing = asyncio.create_task(asyncio.to_thread(_write_all, pipes.stdout_fd, data))
        async with asyncio.timeout(30):
            told = await held.get()
            assert told.names == (f"{an_attempt().task_id} attempt 1",)
            assert "full" in told.why
            assert sum((tmp_path / name).stat().st_size for name in segments(tmp_path)) < 900_000
            assert not writing.done()
            # Once a sink takes it, it leaves the spool, and the task goes on.
            sink = MemorySink()
            async with shipping(tmp_path, sink) as shipper:
                capture._on_growth = shipper.growth
                await writing
                pipes.close()
                assert (await capture.seal(*an_attempt().key)).bytes == len(data)
        (log,) = sink.logs.values()
        assert log.data == data


async def test_a_full_spool_may_cut_and_tells_how_much(tmp_path: Path):
    async with capturing(tmp_path, quota=SpoolQuota(unit=300_000, policy="cut")) as capture:
        pipes = await capture.open_pipes(an_attempt())
        await asyncio.to_thread(_write_all, pipes.stdout_fd, b"0123456\n" * 250_000)
        sealed = await capture.seal(*an_attempt().key)
        assert 300_000 <= sealed.bytes < 1_000_000
        pipes.close()
        sink = MemorySink()
        async with shipping(tmp_path, sink):
            pass
        (log,) = sink.logs.values()
        gaps = [record for record in log.records if not record.data]
        assert log.trailer is not None
        assert sum(gap.missing_bytes for gap in gaps) == 2_000_000 - sealed.bytes == log.trailer.missing_bytes


async def test_a_long_folder_name_is_no_problem(tmp_path: Path):
    async with capturing(tmp_path / ("x" * 120)) as capture:
        pipes = await capture.open_pipes(an_attempt())
        pipes.close()
        assert (await capture.seal(*an_attempt().key)).bytes == 0
        await capture.close()
    async with capturing(tmp_path / ("x" * 120)):
        pass


async def test_waiting_for_what_never_comes_ends(tmp_path: Path):
    async with capturing(tmp_path) as capture:
        with pytest.raises(SealTimeout) as caught:
            await capture.sealed("nobody", 1, within_s=0.01)
        assert caught.value.subject == "nobody attempt 1"


async def test_a_folder_that_cant_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("logsinks.capture.connecting._TRIES", 1)
    (tmp_path / "catcher.lock").mkdir()
    with pytest.raises(CatcherUnavailable) as caught:
        await Capture.start(tmp_path, on_growth=lambda: None)
    assert "catcher.log" in caught.value.hint


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
