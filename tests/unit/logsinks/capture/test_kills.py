"""kill -9 of whoever started the catcher, at random moments, while tasks print: every byte once, in order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from logsinks.capture.client import Capture
from logsinks.contract import NamedSink
from logsinks.registry import open_sink
from logsinks.shipper import Shipper
from logsinks.testing.conformance import an_attempt

LIVES = 10
WRITERS = 3
WRITER = """
import os, sys, random, time
number, lines = int(sys.argv[1]), int(sys.argv[2])
for line in range(lines):
    os.write(1, b"%d out %d %s\\n" % (number, line, b"x" * random.randrange(200)))
    if line % 10 == 0:
        os.write(2, b"%d err %d\\n" % (number, line))
    if line % 50 == 0:
        time.sleep(0.005)
"""
SHEPHERD = """
import asyncio, subprocess, sys
from pathlib import Path
from logsinks.capture.client import Capture
from logsinks.contract import NamedSink
from logsinks.registry import open_sink
from logsinks.shipper import Shipper
from logsinks.testing.conformance import an_attempt

async def main():
    spool, url, first, writers, writer = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    shipper = Shipper(spool, [NamedSink("local", open_sink(url, "local"))], on_opened=lambda *_: None)
    capture = await Capture.start(spool, on_growth=shipper.growth)
    await shipper.start()
    for number in range(first, first + writers):
        pipes = await capture.open_pipes(an_attempt(number))
        subprocess.Popen([sys.executable, "-I", "-S", "-c", writer, str(number), "1500"],
                         stdout=pipes.stdout_fd, stderr=pipes.stderr_fd, start_new_session=True)
        pipes.close()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_no_byte_is_lost_or_doubled(tmp_path: Path):
    spool, logs = tmp_path / "spool", tmp_path / "logs"
    url = f"file://{logs}?template={{task_id}}"
    chance = random.Random(7)
    for life in range(LIVES):
        shepherd = subprocess.Popen(
            [sys.executable, "-c", SHEPHERD, str(spool), url, str(life * WRITERS + 1), str(WRITERS), WRITER],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[4],
        )
        assert shepherd.stdout is not None
        assert await asyncio.to_thread(shepherd.stdout.readline) == b"ready\n"
        await asyncio.sleep(chance.uniform(0, 0.15))
        shepherd.send_signal(signal.SIGKILL)
        shepherd.wait()
        shepherd.stdout.close()
    shipper = Shipper(spool, [NamedSink("local", open_sink(url, "local"))], on_opened=lambda *_: None)
    capture = await Capture.start(spool, on_growth=shipper.growth)
    await shipper.start()
    for key in capture.adopted():
        # Every writer ends by itself; the catcher tells when the last one has.
        await capture.sealed(*key)
    await capture.shutdown()
    await shipper.stop(30)
    for number in range(1, LIVES * WRITERS + 1):
        data = (logs / f"{an_attempt(number).task_id}.log").read_bytes()
        lines = data.splitlines()
        out = [int(line.split()[2]) for line in lines if line.split()[1] == b"out"]
        err = [int(line.split()[2]) for line in lines if line.split()[1] == b"err"]
        assert out == list(range(1500))
        assert err == list(range(0, 1500, 10))
        assert {line.split()[0] for line in lines} == {b"%d" % number}
    assert not [name for name in os.listdir(spool) if name.endswith(".spool")]
