"""What an attempt leaves running is found and ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from shepherd.tiers import remains
from shepherd.tiers.remains import Remains, ZombieSweep, become_subreaper, processes_with_argument


@pytest.fixture
def spawn() -> Iterator[Any]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, mark: str = "none", session: bool = True) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(arguments, env={"MARK": mark, "PATH": os.environ["PATH"]}, start_new_session=session)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_the_processes_of_a_session_are_found_and_ended(spawn: Any) -> None:
    process = spawn("sleep", "60")
    left = Remains(process.pid, "MARK=nothing like it")
    assert left.find() == [process.pid]
    assert await left.end() == ""
    assert left.find() == []


async def test_a_marked_process_of_another_session_is_found_too(spawn: Any) -> None:
    process = spawn("sleep", "60", mark="red")
    spawn("sleep", "60", mark="redder")
    assert Remains(-2, "MARK=red").find() == [process.pid]


async def test_strays_are_found_by_the_beginning_of_their_mark(spawn: Any) -> None:
    pids = {spawn("sleep", "60", mark="red-1").pid, spawn("sleep", "60", mark="red-2").pid}
    spawn("sleep", "60", mark="blue-1")
    assert set(Remains.strays("MARK=red-").find()) == pids
    assert await Remains.strays("MARK=red-").end() == ""


async def test_nothing_is_left_of_nothing() -> None:
    assert await Remains(-2, "MARK=nobody has it").end() == ""


async def test_what_cant_be_ended_is_named(spawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    process = spawn("sleep", "60", mark="tough")

    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(remains.signal, "pidfd_send_signal", refuse)
    assert await Remains(process.pid, "MARK=tough").end(within_s=0.01) == f"process {process.pid} (sleep)"


async def test_processes_are_found_by_an_argument(spawn: Any) -> None:
    process = spawn("sleep", "59.0625")
    assert processes_with_argument("59.0625") == [process.pid]
    assert processes_with_argument("59.06") == []


async def test_orphans_that_ended_are_reaped_at_the_second_sweep() -> None:
    assert become_subreaper()
    code = "import os\nif os.fork() == 0:\n    if os.fork() == 0:\n        print(os.getpid(), flush=True); input()\n    os._exit(0)\nos.wait()"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        orphan = int(parent.stdout.readline())
        pidfd = os.pidfd_open(orphan)
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(pidfd, gone.set)
    await gone.wait()
    loop.remove_reader(pidfd)
    os.close(pidfd)
    sweep = ZombieSweep()
    sweep.sweep()
    assert os.path.exists(f"/proc/{orphan}")
    sweep.sweep()
    assert not os.path.exists(f"/proc/{orphan}")
