"""Steps in their order, undone in reverse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shepherd.attempts.attempt import Attempt
from shepherd.attempts.runner import Runner
from shepherd.definitions import DefinitionKind, TaskDefinition
from shepherd.wire.payload import Assignment, End, Outcome


class Step:
    def __init__(self, name: str, log: list[str], *, end: End | None = None, breaks: str = "") -> None:
        self.name = name
        self._log = log
        self._end = end
        self._breaks = breaks

    async def do(self, attempt: Attempt) -> End | None:
        self._log.append(f"do {self.name}")
        if self._breaks == "do":
            raise OSError("the disk is full")
        return self._end

    async def undo(self, attempt: Attempt, end: End) -> None:
        self._log.append(f"undo {self.name}")
        if self._breaks == "undo":
            raise OSError("no way")


@pytest.fixture
def attempt() -> Attempt:
    tier: Any = type("Tier", (), {"name": "process"})
    return Attempt(
        key="a:1",
        assignment=Assignment(task_id="a", attempt=1, name="n"),
        definition=TaskDefinition(name="n", kind=DefinitionKind.PYTHON, source=Path("n.py")),
        tier=tier,
    )


async def test_steps_are_undone_in_reverse(attempt: Attempt) -> None:
    log: list[str] = []
    end = End(outcome=Outcome.SUCCEEDED)
    found = await Runner([Step("a", log), Step("b", log, end=end)], lambda: 9).run(attempt)
    assert found is end
    assert log == ["do a", "do b", "undo b", "undo a"]
    assert (attempt.started_ms, end.ended_ms, end.isolation) == (9, 9, "process")


async def test_an_early_end_spares_the_later_steps(attempt: Attempt) -> None:
    log: list[str] = []
    steps = [Step("a", log, end=End(outcome=Outcome.FAILED)), Step("b", log)]
    await Runner(steps, lambda: 9).run(attempt)
    assert log == ["do a", "undo a"]


async def test_what_goes_wrong_with_us_makes_the_attempt_lost(attempt: Attempt) -> None:
    log: list[str] = []
    end = await Runner([Step("a", log), Step("b", log, breaks="do"), Step("c", log)], lambda: 9).run(attempt)
    assert (end.outcome, end.error_type) == (Outcome.LOST, "ShepherdFailed")
    assert "the disk is full" in end.error_message
    assert log == ["do a", "do b", "undo b", "undo a"]


async def test_what_cant_be_undone_is_told_and_stops_nothing(attempt: Attempt) -> None:
    log: list[str] = []
    steps = [Step("a", log), Step("b", log, breaks="undo", end=End(outcome=Outcome.SUCCEEDED))]
    end = await Runner(steps, lambda: 9).run(attempt)
    assert (end.outcome, end.left_behind) == (Outcome.SUCCEEDED, "b: no way")
    assert log[-1] == "undo a"


async def test_an_adopted_attempt_is_undone_in_full(attempt: Attempt) -> None:
    log: list[str] = []
    await Runner([Step("a", log), Step("b", log)], lambda: 9).resume(attempt, End(outcome=Outcome.SUCCEEDED))
    assert log == ["undo b", "undo a"]
