"""Warm workers: shared, filled ahead, replaced, and what their death costs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from shepherd.definitions import TaskDefinition
from shepherd.tiers.contract import Order
from shepherd.tiers.outcomes import Refused, refused
from shepherd.tiers.resident.launch import ResidentLaunch
from shepherd.tiers.resident.tier import ResidentTier
from shepherd.wire.payload import Outcome
from shepherd.workers.commands import resident_command
from tests.support.tiers import Ears, FileCapture, order_for

TASKS = """
import asyncio, os, time

def pid():
    return os.getpid()

def leave(status=3):
    os._exit(status)

def hang(sign):
    open(sign, "w").close()
    time.sleep(60)

def wait_for(go):
    while not os.path.exists(go):
        time.sleep(0.002)
    return os.getpid()

async def nap(go):
    while not os.path.exists(go):
        await asyncio.sleep(0.002)
    return os.getpid()

async def hang_async(sign):
    open(sign, "w").close()
    await asyncio.sleep(60)

async def leave_async(sign):
    while not os.path.exists(sign):
        await asyncio.sleep(0.002)
    os._exit(3)

async def block_async(sign):
    open(sign, "w").close()
    time.sleep(60)
"""


class Warm:
    """A tier with two workers at most, unless told otherwise."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.module = folder / "warm_tasks.py"
        self.module.write_text(TASKS)
        self.ears = Ears()
        self.capture = FileCapture(folder)
        launch = ResidentLaunch(
            options.pop("command", resident_command()),
            folder=folder / "workers",
            label="test",
            environment=_environment,
            open_channel=self.capture.open_channel,
        )
        self.tier = ResidentTier(
            launch, lambda: 1, shepherd_id="s", most_workers=options.pop("most_workers", 2), **options
        )
        self.capture.on_channel_ended = self.tier.channel_ended
        self.tier.listen(self.ears)

    def start(self, function: str, *args: Any, **options: Any) -> Order:
        order = order_for(self.module, function, *args, **options)
        self.tier.start(order)
        return order

    async def value(self, order: Order) -> Any:
        end = await self.ears.end_of(order)
        assert end.outcome is Outcome.SUCCEEDED, end
        return orjson.loads(end.result_json)

    async def until_there(self, name: str) -> None:
        while not (self.folder / name).exists():
            await asyncio.sleep(0.002)

    def path(self, name: str) -> str:
        return str(self.folder / name)


def _environment(definition: TaskDefinition, home: Path) -> Mapping[str, str]:
    if "NO" in definition.environment:
        raise Refused(refused("MissingReference", "no"))
    return {"PATH": os.environ["PATH"], "HOME": str(home), **definition.environment}


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[Warm]:
    warm = Warm(tmp_path)
    yield warm
    await warm.tier.close()


@pytest.fixture
async def single(tmp_path: Path) -> AsyncIterator[Warm]:
    single = Warm(tmp_path, most_workers=1)
    yield single
    await single.tier.close()


async def test_attempts_share_a_worker(single: Warm) -> None:
    pids = {await single.value(single.start("pid")) for _ in range(5)}
    assert len(pids) == 1


async def test_attempts_that_wait_get_a_worker_each_up_to_the_bound(warm: Warm) -> None:
    orders = [warm.start("wait_for", warm.path("go")) for _ in range(5)]
    await warm.ears.until(lambda: len(warm.ears.begun) == 2)
    (warm.folder / "go").touch()
    assert len({await warm.value(order) for order in orders}) == 2


async def test_other_contents_other_environment_other_worker(warm: Warm) -> None:
    first = await warm.value(warm.start("pid"))
    assert await warm.value(warm.start("pid", environment={"A": "1"})) != first
    assert await warm.value(warm.start("pid", digest="2")) != first


async def test_a_module_without_a_worker_gets_the_place_of_an_idle_one(single: Warm) -> None:
    first = await single.value(single.start("pid"))
    second = await single.value(single.start("pid", digest="2"))
    assert second != first
    assert await single.value(single.start("pid")) not in {first, second}


async def test_a_busy_module_makes_room_for_another(single: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shepherd.tiers.resident.hiring.TENURE_S", 0.0)
    busy = [single.start("wait_for", single.path("go")) for _ in range(4)]
    await single.ears.until(lambda: len(single.ears.begun) == 1)
    other = single.start("pid", digest="2")
    (single.folder / "go").touch()
    await single.ears.end_of(other)
    assert sum(order in single.ears.ends for order in busy) < 4
    for order in busy:
        await single.value(order)


async def test_many_async_attempts_run_at_once_in_one_worker(single: Warm) -> None:
    orders = [single.start("nap", single.path("go"), is_async=True) for _ in range(20)]
    await single.ears.until(lambda: len(single.ears.begun) == 20)
    (single.folder / "go").touch()
    assert len({await single.value(order) for order in orders}) == 1


async def test_what_waits_behind_a_slow_one_is_given_to_another(warm: Warm) -> None:
    for _ in range(20):  # quick ones, so that several are sent ahead
        await warm.value(warm.start("pid"))
    slow = warm.start("wait_for", warm.path("go"))
    behind = [warm.start("pid") for _ in range(10)]
    pids = {await warm.value(order) for order in behind}
    assert slow not in warm.ears.ends
    (warm.folder / "go").touch()
    assert await warm.value(slow) not in pids


async def test_a_crash_costs_the_attempt_that_ran_alone(single: Warm) -> None:
    order = single.start("leave")
    end = await single.ears.end_of(order)
    assert (end.outcome, end.error_type, end.exit_code, end.retriable) == (Outcome.FAILED, "WorkerDied", 3, True)
    assert await single.value(single.start("pid"))


async def test_a_slow_crash_spares_those_behind_it(single: Warm) -> None:
    for _ in range(20):
        await single.value(single.start("pid"))
    slow = single.start("wait_for", single.path("go"))
    behind = [single.start("pid") for _ in range(5)]
    await single.ears.until(lambda: slow in single.ears.begun)
    pid = _worker_pid(single)
    os.kill(pid, 9)
    assert (await single.ears.end_of(slow)).error_type == "WorkerDied"
    assert pid not in {await single.value(order) for order in behind}


async def test_a_crash_with_several_suspects_blames_none(single: Warm) -> None:
    for _ in range(20):
        await single.value(single.start("pid"))
    orders = [single.start("pid"), single.start("leave"), single.start("pid")]
    ends = [await single.ears.end_of(order) for order in orders]
    # Answers travel in bundles: those that came before the crash count, the others are lost.
    assert all(end.outcome in {Outcome.SUCCEEDED, Outcome.LOST, Outcome.FAILED} for end in ends)
    assert ends[1].outcome is not Outcome.SUCCEEDED
    assert all(end.error_type == "WorkerDied" for end in ends if end.outcome is not Outcome.SUCCEEDED)
    # From now on one by one: the next crash has one suspect.
    again = [single.start("pid"), single.start("leave"), single.start("pid")]
    outcomes = [(await single.ears.end_of(order)).outcome for order in again]
    assert outcomes == [Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUCCEEDED]


async def test_a_crash_of_async_attempts_costs_all_that_ran(single: Warm) -> None:
    one = single.start("hang_async", single.path("sign"), is_async=True)
    two = single.start("leave_async", single.path("sign"), is_async=True)
    for order in (one, two):
        end = await single.ears.end_of(order)
        assert (end.outcome, end.error_type) == (Outcome.FAILED, "WorkerDied")


async def test_a_cancelled_async_attempt_leaves_its_neighbours_alone(single: Warm) -> None:
    neighbour = single.start("nap", single.path("go"), is_async=True)
    order = single.start("hang_async", single.path("sign"), is_async=True)
    await single.until_there("sign")
    single.tier.stop(order, Outcome.CANCELLED)
    assert (await single.ears.end_of(order)).outcome is Outcome.CANCELLED
    (single.folder / "go").touch()
    await single.value(neighbour)


async def test_an_async_attempt_that_blocks_its_loop_is_killed_and_its_neighbours_are_lost(single: Warm) -> None:
    neighbour = single.start("nap", single.path("go"), is_async=True)
    order = single.start("block_async", single.path("sign"), is_async=True, grace_s=0.05)
    await single.until_there("sign")
    single.tier.stop(order, Outcome.TIMED_OUT, "too long")
    assert (await single.ears.end_of(order)).outcome is Outcome.TIMED_OUT
    end = await single.ears.end_of(neighbour)
    assert (end.outcome, end.error_type) == (Outcome.LOST, "WorkerDied")


async def test_a_cancelled_attempt_that_waits_in_the_worker_never_runs(single: Warm) -> None:
    for _ in range(20):
        await single.value(single.start("pid"))
    slow = single.start("wait_for", single.path("go"))
    waiting = single.start("wait_for", single.path("never"))
    await single.ears.until(lambda: slow in single.ears.begun)
    single.tier.stop(waiting, Outcome.CANCELLED)
    end = await single.ears.end_of(waiting)
    assert end.outcome is Outcome.CANCELLED
    (single.folder / "go").touch()
    await single.value(slow)


async def test_withdrawn_orders_are_not_heard_of_again(single: Warm) -> None:
    slow = single.start("wait_for", single.path("go"))
    await single.ears.until(lambda: slow in single.ears.begun)
    waiting = [single.start("pid") for _ in range(3)]
    assert single.tier.withdraw() == waiting
    (single.folder / "go").touch()
    await single.value(slow)
    assert not any(order in single.ears.ends for order in waiting)


async def test_workers_are_replaced_after_so_many_attempts(tmp_path: Path) -> None:
    warm = Warm(tmp_path, most_workers=1, recycle_attempts=3)
    pids = [await warm.value(warm.start("pid")) for _ in range(6)]
    assert len(set(pids)) > 1
    await warm.tier.close()


async def test_workers_are_replaced_at_an_age(tmp_path: Path) -> None:
    warm = Warm(tmp_path, most_workers=1, recycle_age_s=1e-9)
    assert await warm.value(warm.start("pid")) != await warm.value(warm.start("pid"))
    await warm.tier.close()


async def test_workers_of_what_has_changed_retire_and_their_orders_come_back(single: Warm) -> None:
    slow = single.start("wait_for", single.path("go"))
    await single.ears.until(lambda: slow in single.ears.begun)
    waiting = single.start("pid")
    fresh = order_for(single.module, "pid", digest="2")
    assert single.tier.keep([fresh.definition]) == [waiting]
    single.tier.stop(waiting, Outcome.CANCELLED)  # isn't here any more
    single.tier.start(fresh)
    (single.folder / "go").touch()
    assert await single.value(slow) != await single.value(fresh)


async def test_an_environment_that_cant_be_made_ends_the_attempt(single: Warm) -> None:
    end = await single.ears.end_of(single.start("pid", environment={"NO": "1"}))
    assert (end.outcome, end.error_type, end.retriable) == (Outcome.FAILED, "MissingReference", False)


async def test_a_worker_that_cant_start_fails_what_waits(tmp_path: Path) -> None:
    warm = Warm(tmp_path, command=("/bin/false",))
    end = await warm.ears.end_of(warm.start("pid"))
    assert (end.outcome, end.error_type, end.retriable) == (Outcome.FAILED, "WorkerDied", True)
    assert "can be started" in end.error_message
    await warm.tier.close()


async def test_a_program_that_isnt_there_fails_what_waits(tmp_path: Path) -> None:
    warm = Warm(tmp_path, command=("/no/such/python",))
    assert (await warm.ears.end_of(warm.start("pid"))).error_type == "WorkerDied"
    await warm.tier.close()


async def test_a_worker_whose_log_channel_broke_is_replaced(single: Warm) -> None:
    first = await single.value(single.start("pid"))
    (name,) = single.capture.channels
    single.tier.channel_ended(name)
    assert await single.value(single.start("pid")) != first


async def test_large_input_and_result_pass(single: Warm) -> None:
    (single.folder / "warm_tasks.py").write_text("def echo(text):\n    return text\n")
    text = "ä" * 500_000
    assert await single.value(single.start("echo", text)) == text


def _worker_pid(warm: Warm) -> int:
    (child,) = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and f"HOME={warm.folder}/workers/".encode() in _environ(entry)
    ]
    return child


def _environ(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


async def test_with_one_worker_what_waits_behind_a_slow_one_runs_after_it_in_order(single: Warm) -> None:
    for _ in range(20):
        await single.value(single.start("pid"))
    slow = single.start("wait_for", single.path("go"))
    behind = [single.start("pid") for _ in range(10)]
    await single.ears.until(lambda: slow in single.ears.begun)
    later = single.start("pid")
    (single.folder / "go").touch()
    for order in (slow, *behind, later):
        await single.value(order)
    assert list(single.ears.ends)[-12:] == [slow, *behind, later]
