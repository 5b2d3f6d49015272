"""Statuses, their words, and the way from one to the next."""

from __future__ import annotations

import re

import pytest

from sandbox.model import status as module
from sandbox.model.status import TRANSITIONS, AttemptOutcome, TaskStatus


def test_the_numbers_never_change() -> None:
    assert {status.name: int(status) for status in TaskStatus} == {
        "PENDING": 1,
        "SCHEDULED": 2,
        "ASSIGNED": 3,
        "RUNNING": 4,
        "RETRYING": 5,
        "SUCCEEDED": 6,
        "FAILED": 7,
        "DEAD": 8,
        "CANCELLED": 9,
        "TIMED_OUT": 10,
        "LOST": 11,
    }
    assert {outcome.name: int(outcome) for outcome in AttemptOutcome} == {
        "SUCCEEDED": 1,
        "FAILED": 2,
        "TIMED_OUT": 3,
        "CANCELLED": 4,
        "LOST": 5,
        "HANDED_BACK": 6,
    }


def test_words() -> None:
    assert [status.word for status in TaskStatus][-2:] == ["timed-out", "lost"]
    assert AttemptOutcome.HANDED_BACK.word == "handed-back"


@pytest.mark.parametrize("status", list(TaskStatus))
def test_a_word_is_read_back(status: TaskStatus) -> None:
    assert TaskStatus.from_word(status.word) is status
    assert TaskStatus.from_word(f" {status.name} ") is status


def test_an_unknown_word() -> None:
    with pytest.raises(KeyError):
        TaskStatus.from_word("sleeping")


def test_what_has_ended_stays() -> None:
    ended = {status for status in TaskStatus if status.ended}
    assert {status for status in TaskStatus if not TRANSITIONS[status]} == ended
    assert {status.word for status in ended} == {"succeeded", "failed", "dead", "cancelled", "timed-out", "lost"}


def test_every_status_has_its_moves_and_can_be_cancelled_until_it_ends() -> None:
    assert set(TRANSITIONS) == set(TaskStatus)
    for status, following in TRANSITIONS.items():
        assert status not in following
        assert (TaskStatus.CANCELLED in following) == (not status.ended)


def test_everything_can_be_reached_from_a_new_task() -> None:
    reached = {TaskStatus.PENDING, TaskStatus.SCHEDULED}
    while True:
        more = reached.union(*(TRANSITIONS[status] for status in reached))
        if more == reached:
            break
        reached = more
    assert reached == set(TaskStatus)


def test_only_an_assigned_task_runs_and_only_a_live_one_succeeds() -> None:
    into = {
        status: {before for before, following in TRANSITIONS.items() if status in following} for status in TaskStatus
    }
    live = {TaskStatus.ASSIGNED, TaskStatus.RUNNING}
    assert into[TaskStatus.RUNNING] == {TaskStatus.ASSIGNED}
    assert into[TaskStatus.ASSIGNED] == {TaskStatus.PENDING}
    assert into[TaskStatus.SUCCEEDED] == into[TaskStatus.RETRYING] == live
    assert into[TaskStatus.PENDING] == live | {TaskStatus.SCHEDULED, TaskStatus.RETRYING}


def test_the_diagram_names_every_status() -> None:
    assert module.__doc__ is not None
    drawn = set(re.findall(r"[a-z_]+", module.__doc__))
    assert {status.name.lower() for status in TaskStatus} <= drawn
