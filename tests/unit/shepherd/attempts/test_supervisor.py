"""All attempts of a shepherd, with a tier that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from shepherd.attempts.admission import Admission
from shepherd.attempts.attempt import Attempt
from shepherd.attempts.journal import Journal
from shepherd.attempts.runner import Runner
from shepherd.attempts.steps.definition import Definitions
from shepherd.attempts.supervisor import Supervisor
from shepherd.definitions import Catalog, TaskDefinition
from shepherd.tiers.choose import TierChooser
from shepherd.tiers.contract import Ability, Listener, Order
from shepherd.tiers.outcomes import stopped
from shepherd.wire.payload import Assignment, End, Log, Outcome
from tests.support.tiers import FileCapture

TASKS = """
from shepherd.definitions import task

@task(isolation="resident", labels={"team": "blue"})
def warm(*args):
    return None

@task(isolation="process", max_time="5s")
def fresh():
    return None
"""


class ScriptedTier:
    """Takes orders; the test ends them."""

    def __init__(self, name: str, *, fresh: bool) -> None:
        self.name = name
        self.fresh = fresh
        self.orders: list[Order] = []
        self.stopped: list[tuple[str, Outcome]] = []
        self.hurried = False
        self.deaf = False
        self.outdated: list[Order] = []
        self.listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        self.listener = listener

    def able(self) -> Ability:
        return Ability(able=True)

    def start(self, order: Order) -> None:
        self.orders.append(order)

    def stop(self, order: Order, outcome: Outcome, reason: str = "") -> None:
        if order not in self.orders or order.stop is not None:
            return
        order.stop = outcome
        self.stopped.append((order.key, outcome))
        if not self.deaf:
            asyncio.get_running_loop().call_soon(self.end, order, stopped(outcome, reason, self.name))

    def withdraw(self) -> list[Order]:
        return []

    def keep(self, definitions: Iterable[TaskDefinition]) -> list[Order]:
        del definitions
        outdated, self.outdated = self.outdated, []
        return outdated

    def hurry(self) -> None:
        self.hurried = True
        for order in list(self.orders):
            self.end(order, stopped(Outcome.LOST, "", self.name))

    async def close(self) -> None:
        return

    def end(self, order: Order, end: End) -> None:
        assert self.listener is not None
        self.orders.remove(order)
        self.listener.ended(order, end)


class OneStep:
    """In place of all steps: waits for the test."""

    name = "one"

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[End]] = {}
        self.order: list[str] = []

    async def do(self, attempt: Attempt) -> End | None:
        self.order.append(attempt.assignment.task_id)
        ended = self.waiting[attempt.assignment.task_id] = asyncio.get_running_loop().create_future()
        return await ended

    async def undo(self, attempt: Attempt, end: End) -> None:
        del attempt, end


class Reports:
    def __init__(self) -> None:
        self.ends: dict[tuple[str, int], End] = {}
        self.log: list[Any] = []

    def attempt_started(self, task_id: str, attempt: int, started_ms: int) -> None:
        self.log.append(("started", task_id, attempt, started_ms))

    def attempt_ended(self, task_id: str, attempt: int, end: End) -> None:
        self.ends[task_id, attempt] = end

    def attempt_heartbeat(self, task_id: str, attempt: int, time_ms: int, note: str) -> None:
        self.log.append(("heartbeat", task_id, attempt, time_ms, note))

    def outcome(self, task_id: str, attempt: int = 1) -> Outcome | None:
        end = self.ends.get((task_id, attempt))
        return None if end is None else end.outcome


class House:
    def __init__(self, folder: Path, *, places: int = 2) -> None:
        (folder / "tasks").mkdir()
        (folder / "tasks" / "supervised.py").write_text(TASKS)
        self.folder = folder
        self.now = 0.0
        self.warm = ScriptedTier("resident", fresh=False)
        self.process = ScriptedTier("process", fresh=True)
        self.step = OneStep()
        self.reports = Reports()
        self.capture = FileCapture(folder)
        self.definitions = Definitions(Catalog([folder / "tasks"]), lambda: self.now, self._changed)
        tiers: Any = {"process": self.process, "resident": self.warm}
        journal = Journal(folder / "journal", folder / "work")
        journal.open()
        self.supervisor = Supervisor(
            admission=Admission(self.definitions, TierChooser(tiers, "process"), 7.0),
            runner=Runner([self.step], lambda: 5),
            journal=journal,
            capture=self.capture,
            reporter=self.reports,
            now_ms=lambda: 5,
            max_concurrency=places,
        )
        self.warm.listen(self.supervisor)

    def _changed(self) -> None:
        self.supervisor.definitions_changed()

    def give(self, task_id: str, name: str, attempt: int = 1, **fields: Any) -> None:
        self.supervisor.accept([Assignment(task_id=task_id, attempt=attempt, name=name, **fields)])

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def end_fresh(self, task_id: str) -> None:
        await self.settle()
        self.step.waiting[task_id].set_result(End(outcome=Outcome.SUCCEEDED))
        await self.settle()


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_warm_attempt_goes_straight_to_its_tier_and_is_told(house: House) -> None:
    house.give("a", "warm", timeout_ms=1_500)
    (order,) = house.warm.orders
    assert (order.key, order.time_limit_s, order.grace_s) == ("a:1", 1.5, 7.0)
    assert dict(order.assignment.labels) == {"team": "blue"}
    assert house.supervisor.standing() == [("a", 1)]
    house.warm.end(order, End(outcome=Outcome.SUCCEEDED))
    assert house.reports.outcome("a") is Outcome.SUCCEEDED
    assert house.supervisor.held == 0


async def test_labels_of_the_assignment_go_before_those_of_the_definition(house: House) -> None:
    house.give("a", "warm", labels={"team": "red"})
    assert dict(house.warm.orders[0].assignment.labels) == {"team": "red"}


async def test_the_shorter_limit_counts(house: House) -> None:
    house.give("a", "fresh", timeout_ms=9_000)
    house.give("b", "fresh", timeout_ms=1_000)
    await house.settle()
    held = {each.assignment.task_id: each for each in house.supervisor._held.values()}
    assert (held["a"].time_limit_s, held["b"].time_limit_s) == (5.0, 1.0)
    await house.end_fresh("a")
    await house.end_fresh("b")


async def test_fresh_attempts_wait_for_a_place(house: House) -> None:
    for name in "abc":
        house.give(name, "fresh")
    await house.settle()
    assert house.step.order == ["a", "b"]
    await house.end_fresh("a")
    assert house.step.order == ["a", "b", "c"]
    await house.end_fresh("b")
    await house.end_fresh("c")
    assert set(house.reports.ends) == {("a", 1), ("b", 1), ("c", 1)}


async def test_the_same_attempt_is_not_taken_twice(house: House) -> None:
    house.give("a", "warm")
    house.give("a", "warm")
    assert len(house.warm.orders) == 1


async def test_a_later_attempt_waits_until_the_earlier_is_gone(house: House) -> None:
    house.give("a", "warm")
    house.give("a", "warm", attempt=2)
    assert [order.key for order in house.warm.orders] == ["a:1"]
    await house.settle()
    assert house.warm.stopped == [("a:1", Outcome.LOST)]
    assert [order.key for order in house.warm.orders] == ["a:2"]
    assert not house.reports.ends


async def test_an_earlier_attempt_changes_nothing(house: House) -> None:
    house.give("a", "warm", attempt=2)
    house.give("a", "warm", attempt=1)
    await house.settle()
    assert [order.key for order in house.warm.orders] == ["a:2"]


async def test_cancel_ends_what_waits_and_what_runs(house: House) -> None:
    for name in "abc":
        house.give(name, "fresh")
    house.give("w", "warm")
    house.supervisor.cancel("c", 1, "why")
    house.supervisor.cancel("w", 1, "why")
    house.supervisor.cancel("w", 2, "another attempt")
    house.supervisor.cancel("nobody", 1, "why")
    await house.settle()
    assert (house.reports.outcome("c"), house.reports.outcome("w")) == (Outcome.CANCELLED, Outcome.CANCELLED)
    assert house.reports.ends["c", 1].error_message == "why"
    for name in "ab":
        await house.end_fresh(name)


async def test_what_is_refused_ends_in_silence(house: House) -> None:
    house.give("a", "warm")
    house.supervisor.refuse([("a", 1), ("b", 1)])
    assert house.supervisor.standing() == []
    await house.settle()
    assert not house.reports.ends
    assert house.supervisor.held == 0


@pytest.mark.parametrize(
    ("fields", "error_type", "part"),
    [
        ({"name": "war"}, "UnknownTask", "warm"),
        ({"name": "warm", "args": "{}"}, "BadArguments", "must be a JSON array, and this is an object"),
        ({"name": "warm", "args": "[1"}, "BadArguments", "no JSON"),
        ({"name": "warm", "args": '"x"'}, "BadArguments", "a string"),
        ({"name": "warm", "kwargs": "[]"}, "BadArguments", "kwargs must be a JSON object"),
    ],
)
async def test_what_cant_be_run_is_refused(house: House, fields: dict[str, str], error_type: str, part: str) -> None:
    house.supervisor.accept([Assignment(task_id="a", attempt=1, **fields)])
    end = house.reports.ends["a", 1]
    assert (end.outcome, end.error_type, end.retriable) == (Outcome.FAILED, error_type, False)
    assert part in end.error_message
    assert house.supervisor.held == 0


async def test_null_stands_for_no_keywords(house: House) -> None:
    house.give("a", "warm", kwargs="null")
    assert len(house.warm.orders) == 1


async def test_a_task_written_a_moment_ago_is_found(house: House) -> None:
    (house.folder / "tasks" / "new.py").write_text(
        "from shepherd.definitions import task\n\n@task(isolation='resident')\ndef new():\n    pass\n"
    )
    house.give("a", "new")
    assert len(house.warm.orders) == 1


async def test_what_waits_when_files_change_is_looked_up_again(house: House) -> None:
    house.give("a", "warm")
    (order,) = house.warm.orders
    for name in "xyz":
        house.give(name, "fresh")
    house.warm.outdated = house.warm.orders
    house.warm.orders = []
    (house.folder / "tasks" / "supervised.py").write_text(TASKS.replace("blue", "green"))
    house.now += 1
    house.supervisor.accept([])
    (again,) = house.warm.orders
    assert again is not order
    assert again.key == "a:1"
    assert again.definition.labels == {"team": "green"}
    await house.settle()
    assert house.step.order == ["x", "y"]
    for name in "xyz":
        await house.end_fresh(name)


async def test_pause_hands_back_what_has_not_started_until_resume(house: House) -> None:
    for name in "abc":
        house.give(name, "fresh")
    house.supervisor.pause()
    assert house.reports.outcome("c") is Outcome.HANDED_BACK
    house.give("d", "warm")
    assert house.reports.outcome("d") is Outcome.HANDED_BACK
    house.supervisor.resume()
    house.give("e", "warm")
    assert len(house.warm.orders) == 1
    for name in "ab":
        await house.end_fresh(name)


async def test_drain_waits_for_what_runs(house: House) -> None:
    house.give("a", "warm")
    draining = asyncio.ensure_future(house.supervisor.drain(60, asyncio.Event()))
    await house.settle()
    assert not draining.done()
    house.warm.end(house.warm.orders[0], End(outcome=Outcome.SUCCEEDED))
    await draining
    assert house.reports.outcome("a") is Outcome.SUCCEEDED


async def test_after_the_grace_what_runs_is_lost(house: House) -> None:
    house.give("a", "warm")
    await house.supervisor.drain(0.0, asyncio.Event())
    assert house.reports.outcome("a") is Outcome.LOST


async def test_a_second_signal_ends_the_grace(house: House) -> None:
    house.give("a", "warm")
    hurry = asyncio.Event()
    hurry.set()
    await house.supervisor.drain(60, hurry)
    assert house.reports.outcome("a") is Outcome.LOST


async def test_what_doesnt_hear_the_signal_is_hurried(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shepherd.attempts.supervisor.LAST_GRACE_S", 0.0)
    house.warm.deaf = True
    house.give("a", "warm")
    await house.supervisor.drain(0.0, asyncio.Event())
    assert house.warm.hurried
    assert house.reports.outcome("a") is Outcome.LOST


@pytest.mark.parametrize("log", [Log.ENDED, Log.CUT])
async def test_a_log_is_on_disk_before_the_end_is_told(house: House, log: Log) -> None:
    house.give("a", "warm")
    (house.folder / "a.out").write_bytes(b"one\ntwo\n")
    house.warm.end(house.warm.orders[0], End(outcome=Outcome.SUCCEEDED, log=log))
    assert not house.reports.ends
    await house.settle()
    end = house.reports.ends["a", 1]
    assert (end.log_bytes, end.log_lines) == (8, 2)
    assert house.capture.sealed_keys == [("a", 1)]


async def test_a_silent_attempt_asks_the_catcher_nothing(house: House) -> None:
    house.give("a", "warm")
    house.warm.end(house.warm.orders[0], End(outcome=Outcome.SUCCEEDED))
    await house.settle()
    assert house.capture.sealed_keys == []


async def test_starts_and_heartbeats_are_passed_on(house: House) -> None:
    house.give("a", "warm")
    house.supervisor.started(house.warm.orders[0], 3)
    house.supervisor.heartbeat(house.warm.orders[0], "half")
    assert house.reports.log == [("started", "a", 1, 3), ("heartbeat", "a", 1, 5, "half")]
