"""The state in memory follows from events, and takes none that can't be."""

from __future__ import annotations

import pytest

from sandbox.model.event import (
    AttemptAssigned,
    AttemptEnded,
    AttemptStarted,
    OrchestratorStarted,
    TaskCancelRequested,
    TaskEnded,
    TaskRetrying,
)
from sandbox.model.status import TRANSITIONS, AttemptOutcome, TaskStatus
from sandbox.scheduler.commands import Progress
from sandbox.scheduler.taskset import TaskSet
from tests.support.factories import NOW_MS, OTHER_SHEPHERD, SHEPHERD, make_live, make_task, task_id

FACTS = {"time_ms": NOW_MS, "task_id": task_id(1), "domain": "default"}


def holding(*tasks):
    taskset = TaskSet()
    for task in tasks:
        taskset.add(task)
    return taskset


def counts(taskset):
    return {status: count for (_, status), count in taskset.counts.items() if count}


def test_the_whole_way_of_a_task():
    task = make_task()
    taskset = holding(task)
    assert counts(taskset) == {TaskStatus.PENDING: 1}

    taskset.apply(AttemptAssigned(attempt=1, shepherd_id=SHEPHERD, **FACTS))
    assert (task.status, task.attempt, task.shepherd_id) == (TaskStatus.ASSIGNED, 1, SHEPHERD)
    assert taskset.running_on(SHEPHERD) == [task]
    assert taskset.in_flight(SHEPHERD) == 1

    taskset.apply(AttemptStarted(attempt=1, shepherd_id=SHEPHERD, started_ms=5, **FACTS))
    assert (task.status, task.started_ms) == (TaskStatus.RUNNING, 5)

    taskset.apply(AttemptEnded(attempt=1, outcome=AttemptOutcome.FAILED, **FACTS))
    assert (task.shepherd_id, taskset.in_flight(SHEPHERD), task.uncounted) == ("", 0, 0)
    taskset.apply(TaskRetrying(attempt=1, due_ms=NOW_MS + 9, reason="", **FACTS))
    assert (task.status, task.due_ms) == (TaskStatus.RETRYING, NOW_MS + 9)

    taskset.become_pending(task)
    assert (task.status, task.due_ms) == (TaskStatus.PENDING, 0)
    taskset.apply(AttemptAssigned(attempt=2, shepherd_id=OTHER_SHEPHERD, **FACTS))
    assert (task.attempt, task.started_ms) == (2, 0)
    taskset.apply(AttemptEnded(attempt=2, outcome=AttemptOutcome.SUCCEEDED, **FACTS))
    taskset.apply(TaskEnded(attempt=2, status=TaskStatus.SUCCEEDED, **FACTS))
    assert len(taskset) == 0
    assert taskset.get(task_id(1)) is None
    assert counts(taskset) == {}
    assert taskset.by_shepherd == {}


@pytest.mark.parametrize(
    ("outcome", "lost", "uncounted"),
    [
        (AttemptOutcome.SUCCEEDED, 0, 0),
        (AttemptOutcome.FAILED, 0, 0),
        (AttemptOutcome.TIMED_OUT, 0, 0),
        (AttemptOutcome.CANCELLED, 0, 0),
        (AttemptOutcome.LOST, 1, 1),
        (AttemptOutcome.HANDED_BACK, 0, 1),
    ],
)
def test_only_lost_and_handed_back_attempts_dont_count(outcome, lost, uncounted):
    task = make_live()
    taskset = holding(task)
    taskset.apply(AttemptEnded(attempt=1, outcome=outcome, **FACTS))
    assert (task.lost, task.uncounted) == (lost, uncounted)


def test_a_retry_that_is_due_at_once_is_pending():
    task = make_live()
    taskset = holding(task)
    taskset.apply(TaskRetrying(attempt=1, due_ms=0, reason="", **FACTS))
    assert task.status is TaskStatus.PENDING


def test_a_cancel_request_only_marks():
    task = make_live()
    taskset = holding(task)
    taskset.apply(TaskCancelRequested(attempt=1, **FACTS))
    assert (task.status, task.cancel_requested) == (TaskStatus.ASSIGNED, True)


@pytest.mark.parametrize("status", [status for status in TaskStatus if not status.ended])
@pytest.mark.parametrize("target", [status for status in TaskStatus if status is not TaskStatus.SCHEDULED])
def test_no_move_outside_the_table(status, target):
    task = make_task(status=status, shepherd_id=SHEPHERD if status in {TaskStatus.ASSIGNED, TaskStatus.RUNNING} else "")
    taskset = holding(task)
    match target:
        case TaskStatus.ASSIGNED:
            event = AttemptAssigned(attempt=1, shepherd_id=SHEPHERD, **FACTS)
        case TaskStatus.RUNNING:
            event = AttemptStarted(attempt=1, shepherd_id=SHEPHERD, started_ms=1, **FACTS)
        case TaskStatus.PENDING:
            event = TaskRetrying(attempt=1, due_ms=0, reason="", **FACTS)
        case TaskStatus.RETRYING:
            event = TaskRetrying(attempt=1, due_ms=1, reason="", **FACTS)
        case _:
            event = TaskEnded(attempt=1, status=target, **FACTS)
    if target in TRANSITIONS[status]:
        taskset.apply(event)
        return
    with pytest.raises(ValueError, match=f"can't go from {status.word} to {target.word}"):
        taskset.apply(event)
    assert task.status is status
    assert counts(taskset) == {status: 1}


def test_an_event_that_changes_no_task_is_no_event_for_a_task():
    taskset = holding(make_task())
    with pytest.raises(TypeError, match="OrchestratorStarted changes no task"):
        taskset.apply(OrchestratorStarted(version="1", unfinished=0, time_ms=1, task_id=task_id(1)))


def test_what_was_found_on_disk_is_held_and_counted():
    taskset = holding(
        make_live(1), make_live(2, shepherd_id=OTHER_SHEPHERD), make_task(3, domain="other", idempotency_key="k")
    )
    assert taskset.in_flight(SHEPHERD) == 1
    assert taskset.by_key == {("other", "k"): task_id(3)}
    assert taskset.counts["default", TaskStatus.ASSIGNED] == 2
    assert taskset.counts["other", TaskStatus.PENDING] == 1


def test_an_idempotency_key_outlives_its_task():
    taskset = holding(make_task(idempotency_key="k"))
    taskset.apply(TaskEnded(attempt=0, status=TaskStatus.CANCELLED, **FACTS))
    assert taskset.by_key == {("default", "k"): task_id(1)}


def test_progress_goes_with_the_task():
    taskset = holding(make_task())
    taskset.progress[task_id(1)] = Progress(task_id=task_id(1), attempt=1, time_ms=1, note="3 of 9")
    taskset.apply(TaskEnded(attempt=0, status=TaskStatus.CANCELLED, **FACTS))
    assert taskset.progress == {}


def test_nobody_runs_on_a_shepherd_that_was_never_seen():
    taskset = TaskSet()
    assert taskset.running_on("nobody") == []
    assert taskset.in_flight("nobody") == 0
