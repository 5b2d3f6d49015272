"""What every isolation tier promises (`shepherd.tiers.contract`): one suite, run for each."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from shepherd.definitions import TaskDefinition
from shepherd.tiers.contract import IsolationTier, Order
from shepherd.tiers.process import ProcessTier
from shepherd.tiers.remains import become_subreaper
from shepherd.tiers.resident.launch import ResidentLaunch
from shepherd.tiers.resident.tier import ResidentTier
from shepherd.wire.payload import End, Outcome
from shepherd.workers.commands import attempt_command, resident_command
from tests.support.tiers import Ears, FileCapture, order_for, place_for

NOW_MS = 1_700_000_000_000

TASKS = """
import asyncio, os, signal, subprocess, sys, time

def add(a, b):
    return a + b

def speak(text):
    print(text)
    print(text.upper(), file=sys.stderr)

def fail():
    raise ValueError("it can't be")

def leave(status):
    os._exit(status)

def die(number):
    os.kill(os.getpid(), number)
    time.sleep(60)

def hang(sign):
    open(sign, "w").close()
    time.sleep(60)

def hang_deaf(sign):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sign, "w").close()
    time.sleep(60)

def daemon(sign):
    # Leaves its session and its parent: a double fork, as daemons do.
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(sign + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename(sign + ".new", sign)
            time.sleep(60)
        os._exit(0)
    while not os.path.exists(sign):
        time.sleep(0.001)

def daemon_and_die(sign):
    daemon(sign)
    os._exit(3)

def with_child(sign):
    child = subprocess.Popen(["sleep", "60"])
    with open(sign + ".new", "w") as file:
        file.write(str(child.pid))
    os.rename(sign + ".new", sign)
    child.wait()

def variable(name):
    return os.environ.get(name)
"""


class Host:
    """A tier with its ears, and what its attempts printed."""

    def __init__(self, tier: IsolationTier, capture: FileCapture, folder: Path) -> None:
        self.tier = tier
        self.ears = Ears()
        self.capture = capture
        self.folder = folder
        self.module = folder / "tier_tasks.py"
        self.module.write_text(TASKS)
        tier.listen(self.ears)

    async def start(self, function: str, *args: Any, **options: Any) -> Order:
        order = order_for(self.module, function, *args, **options)
        if self.tier.fresh:
            identity: Any = type("Identity", (), {"task_id": order.assignment.task_id})
            pipes = await self.capture.open_pipes(identity)
            order.place = place_for(order, self.folder / "work", pipes)
            self.tier.start(order)
            os.close(pipes.stdout_fd)
            os.close(pipes.stderr_fd)
        else:
            self.tier.start(order)
        return order

    async def run(self, function: str, *args: Any, **options: Any) -> End:
        return await self.ears.end_of(await self.start(function, *args, **options))

    async def until_there(self, file: Path) -> None:
        """Until a task has made this file. The tasks of this suite have no other way to say where they are."""
        import asyncio

        while not file.exists():
            await asyncio.sleep(0.002)


def _environment(definition: TaskDefinition, home: Path) -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **definition.environment}


@pytest.fixture(params=["process", "resident"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Host]:
    assert become_subreaper()
    capture = FileCapture(tmp_path)
    tier: IsolationTier
    if request.param == "process":
        tier = ProcessTier(attempt_command(), lambda: NOW_MS)
    else:
        launch = ResidentLaunch(
            resident_command(),
            folder=tmp_path / "workers",
            label="test",
            environment=_environment,
            open_channel=capture.open_channel,
        )
        resident = tier = ResidentTier(launch, lambda: NOW_MS, shepherd_id="shepherd", most_workers=2)
        capture.on_channel_ended = resident.channel_ended
    host = Host(tier, capture, tmp_path)
    try:
        yield host
    finally:
        await tier.close()


async def test_a_result_comes_back(host: Host) -> None:
    end = await host.run("add", 2, 3)
    assert (end.outcome, orjson.loads(end.result_json)) == (Outcome.SUCCEEDED, 5)
    assert end.isolation == host.tier.name
    assert end.started_ms
    assert end.ended_ms
    assert end.left_behind == ""


async def test_an_exception_is_a_failure_with_its_class_and_text(host: Host) -> None:
    end = await host.run("fail")
    assert (end.outcome, end.error_type, end.error_message) == (Outcome.FAILED, "ValueError", "it can't be")
    assert end.retriable


async def test_a_process_that_leaves_without_a_word_fails_with_its_exit_code(host: Host) -> None:
    end = await host.run("leave", 3)
    assert (end.outcome, end.error_type, end.exit_code, end.signal) == (Outcome.FAILED, "WorkerDied", 3, None)
    assert "status 3" in end.error_message
    assert end.retriable


async def test_a_process_that_is_killed_fails_with_the_signal(host: Host) -> None:
    end = await host.run("die", signal.SIGKILL)
    assert (end.outcome, end.error_type, end.exit_code, end.signal) == (Outcome.FAILED, "WorkerDied", None, 9)
    assert "SIGKILL" in end.error_message


async def test_both_streams_are_caught(host: Host) -> None:
    order = await host.start("speak", "good day")
    await host.ears.end_of(order)
    text = host.capture.output(order.assignment.task_id)
    assert b"good day\n" in text
    assert b"GOOD DAY\n" in text


async def test_output_of_attempts_is_kept_apart(host: Host) -> None:
    orders = [await host.start("speak", f"number {n}") for n in range(3)]
    for n, order in enumerate(orders):
        await host.ears.end_of(order)
        text = host.capture.output(order.assignment.task_id)
        assert f"number {n}\n".encode() in text
        assert text.count(b"\n") == 2


async def test_the_time_limit_ends_it(host: Host, tmp_path: Path) -> None:
    end = await host.run("hang", str(tmp_path / "hangs"), time_limit_s=0.3)
    assert (end.outcome, end.error_type) == (Outcome.TIMED_OUT, "Timeout")
    assert "0.3 s" in end.error_message
    assert end.retriable


async def test_a_time_limit_that_is_kept_changes_nothing(host: Host) -> None:
    end = await host.run("add", 1, 1, time_limit_s=60)
    assert end.outcome is Outcome.SUCCEEDED


async def test_stop_ends_it_with_the_outcome_that_is_given(host: Host, tmp_path: Path) -> None:
    order = await host.start("hang", str(tmp_path / "hangs"))
    await host.until_there(tmp_path / "hangs")
    host.tier.stop(order, Outcome.CANCELLED, "nobody needs it")
    end = await host.ears.end_of(order)
    assert (end.outcome, end.error_type, end.error_message) == (Outcome.CANCELLED, "Cancelled", "nobody needs it")
    assert not end.retriable


async def test_who_ignores_the_signal_is_killed_after_the_grace(host: Host, tmp_path: Path) -> None:
    order = await host.start("hang_deaf", str(tmp_path / "hangs"), grace_s=0.05)
    await host.until_there(tmp_path / "hangs")
    host.tier.stop(order, Outcome.CANCELLED)
    end = await host.ears.end_of(order)
    assert (end.outcome, end.signal, end.left_behind) == (Outcome.CANCELLED, 9, "")


async def test_hurry_ends_the_grace(host: Host, tmp_path: Path) -> None:
    order = await host.start("hang_deaf", str(tmp_path / "hangs"), grace_s=3_600)
    await host.until_there(tmp_path / "hangs")
    host.tier.stop(order, Outcome.LOST)
    host.tier.hurry()
    assert (await host.ears.end_of(order)).outcome is Outcome.LOST


async def test_stopping_what_has_ended_changes_nothing(host: Host) -> None:
    order = await host.start("add", 1, 1)
    await host.ears.end_of(order)
    host.tier.stop(order, Outcome.CANCELLED)
    assert host.ears.ends[order].outcome is Outcome.SUCCEEDED


async def test_stopping_twice_is_stopping_once(host: Host, tmp_path: Path) -> None:
    order = await host.start("hang", str(tmp_path / "hangs"))
    await host.until_there(tmp_path / "hangs")
    host.tier.stop(order, Outcome.CANCELLED)
    host.tier.stop(order, Outcome.TIMED_OUT)
    assert (await host.ears.end_of(order)).outcome is Outcome.CANCELLED


async def test_children_end_with_a_stopped_attempt(host: Host, tmp_path: Path) -> None:
    order = await host.start("with_child", str(tmp_path / "child"))
    await host.until_there(tmp_path / "child")
    host.tier.stop(order, Outcome.CANCELLED)
    end = await host.ears.end_of(order)
    assert end.left_behind == ""
    assert not _runs(int((tmp_path / "child").read_text()))


async def test_a_daemon_that_left_its_session_ends_with_the_process(host: Host, tmp_path: Path) -> None:
    end = await host.run("daemon_and_die", str(tmp_path / "daemon"))
    assert end.left_behind == ""
    assert not _runs(int((tmp_path / "daemon").read_text()))


async def test_the_environment_is_the_tasks_own(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHEPHERD", "x")
    assert orjson.loads((await host.run("variable", "SECRET_OF_THE_SHEPHERD")).result_json) is None
    end = await host.run("variable", "COLOUR", environment={"COLOUR": "blue"})
    assert orjson.loads(end.result_json) == "blue"


async def test_many_at_once_all_end(host: Host) -> None:
    orders = [await host.start("add", n, 1) for n in range(8)]
    assert [orjson.loads((await host.ears.end_of(order)).result_json) for order in orders] == list(range(1, 9))


async def test_close_ends_what_runs_as_lost(host: Host, tmp_path: Path) -> None:
    order = await host.start("hang", str(tmp_path / "hangs"))
    await host.until_there(tmp_path / "hangs")
    await host.tier.close()
    assert host.ears.ends[order].outcome is Outcome.LOST


async def test_a_module_that_cant_be_imported_fails_the_attempt(host: Host) -> None:
    host.module.write_text("import there_is_no_such_module\ndef add(a, b): return a + b\n")
    end = await host.run("add", 1, 1, digest="broken")
    assert (end.outcome, end.error_type) == (Outcome.FAILED, "ModuleNotFoundError")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
