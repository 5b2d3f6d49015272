"""Ended tasks in memory: within a budget and an age."""

from __future__ import annotations

from sandbox.scheduler.retention import EndedTasks
from tests.support.factories import NOW_MS, make_ended, task_id


def test_kept_until_older_than_the_age():
    kept = EndedTasks(keep_ms=1000)
    kept.add(make_ended(1, ended_ms=NOW_MS))
    kept.add(make_ended(2, ended_ms=NOW_MS + 1000))
    assert kept.get(task_id(1)) is not None
    kept.add(make_ended(3, ended_ms=NOW_MS + 1001))
    assert kept.get(task_id(1)) is None
    assert [kept.get(task_id(number)) is not None for number in (2, 3)] == [True, True]


def test_the_oldest_goes_first_when_the_budget_is_used_up():
    kept = EndedTasks(budget_bytes=5000)
    for number in range(1, 5):
        kept.add(make_ended(number, result="x" * 1000))
    assert [number for number in range(1, 5) if kept.get(task_id(number))] == [2, 3, 4]


def test_one_that_is_larger_than_the_budget_is_not_kept():
    kept = EndedTasks(budget_bytes=1000)
    kept.add(make_ended(1, result="x" * 2000))
    assert len(kept) == 0
    kept.add(make_ended(2))
    assert kept.get(task_id(2)) is not None


def test_forgetting_all():
    kept = EndedTasks(budget_bytes=1300)
    kept.add(make_ended(1))
    kept.clear()
    assert len(kept) == 0
    kept.add(make_ended(2))
    kept.add(make_ended(3))
    assert len(kept) == 2
