"""Processes and how they left."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from shepherd.tiers.child import Child, Exit, signal_name


async def run(tmp_path: Path, *arguments: str, **options: Any) -> Exit:
    ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    with (tmp_path / "out").open("wb") as out:
        Child.spawn(
            arguments,
            environment={"PATH": os.environ["PATH"]},
            folder=tmp_path,
            stdout=out.fileno(),
            stderr=out.fileno(),
            on_exit=ended.set_result,
            **options,
        )
    return await ended


async def test_a_status_and_what_was_used(tmp_path: Path) -> None:
    ended = await run(tmp_path, "sh", "-c", "exit 7")
    assert (ended.code, ended.signal) == (7, None)
    assert ended.usage.peak_memory_bytes > 0
    assert str(ended) == "left with status 7"


async def test_a_signal(tmp_path: Path) -> None:
    ended = await run(tmp_path, "sh", "-c", "kill -9 $$")
    assert (ended.code, ended.signal) == (None, 9)
    assert str(ended) == "was ended by signal 9 (SIGKILL)"


async def test_it_runs_in_its_folder_and_session(tmp_path: Path) -> None:
    await run(tmp_path, sys.executable, "-c", "import os; print(os.getcwd(), os.getsid(0) == os.getpid())")
    assert (tmp_path / "out").read_text() == f"{tmp_path} True\n"


async def test_limits_are_set(tmp_path: Path) -> None:
    code = "import os,resource,time; time.sleep(0.2); print(resource.getrlimit(resource.RLIMIT_AS)[0], os.nice(0))"
    await run(tmp_path, sys.executable, "-c", code, limit_mem=1 << 30, nice=os.nice(0) + 1)
    assert (tmp_path / "out").read_text() == f"{1 << 30} {os.nice(0) + 1}\n"


async def test_an_adopted_process_leaves_without_a_status(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    child = Child.adopt(process.pid, ended.set_result)
    child.signal_group(signal.SIGKILL)
    assert await ended == Exit()
    await process.wait()
    child.signal_group(signal.SIGKILL)  # nothing to be signalled any more


async def test_what_isnt_there_cant_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await run(tmp_path, "/no/such/program")


def test_signals_without_a_name_stay_numbers() -> None:
    assert (signal_name(15), signal_name(250)) == ("SIGTERM", "250")


def test_limits_of_this_process_are_untouched() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
