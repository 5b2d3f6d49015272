"""Decisions: which facts follow from a command, and which commands are refused."""

from __future__ import annotations

import pytest

from sandbox.model.event import AttemptEnded, TaskCancelRequested, TaskEnded, TaskRetrying
from sandbox.model.retry_policy import DEFAULT
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.scheduler import decide
from sandbox.scheduler.commands import AttemptUnderWay
from tests.support.factories import (
    NOW_MS,
    OTHER_SHEPHERD,
    SHEPHERD,
    every_error,
    make_failure,
    make_live,
    make_new,
    make_result,
    make_task,
    task_id,
)


def test_a_new_task_is_pending_and_keeps_what_was_asked_for():
    new = make_new(
        args="[1]", kwargs='{"a":2}', priority=3, timeout_ms=5, labels={"x": "y"}, idempotency_key="k", flow_id="f"
    )
    task, created = decide.create(new, task_id(1), NOW_MS)
    assert task.status is TaskStatus.PENDING
    assert (task.args, task.kwargs, task.priority, task.timeout_ms) == ("[1]", '{"a":2}', 3, 5)
    assert (task.labels, task.idempotency_key, task.flow_id, task.attempt) == ({"x": "y"}, "k", "f", 0)
    assert (created.task_id, created.name, created.queue, created.not_before_ms) == (
        task_id(1),
        "render",
        "default",
        None,
    )


@pytest.mark.parametrize(
    ("not_before_ms", "status", "due_ms"),
    [
        (0, TaskStatus.PENDING, 0),
        (NOW_MS - 1, TaskStatus.PENDING, 0),
        (NOW_MS, TaskStatus.PENDING, 0),
        (NOW_MS + 1, TaskStatus.SCHEDULED, NOW_MS + 1),
    ],
)
def test_only_a_start_in_the_future_schedules(not_before_ms, status, due_ms):
    task, created = decide.create(make_new(not_before_ms=not_before_ms), task_id(1), NOW_MS)
    assert (task.status, task.due_ms, created.not_before_ms) == (status, due_ms, due_ms or None)


def test_an_assignment_is_the_next_attempt():
    event = decide.assign(make_task(attempt=4), SHEPHERD, NOW_MS)
    assert (event.attempt, event.shepherd_id, event.task_id) == (5, SHEPHERD, task_id(1))


@pytest.mark.parametrize(
    "task",
    [
        None,
        make_live(shepherd_id=OTHER_SHEPHERD),
        make_live(attempt=2),
        make_live(status=TaskStatus.RUNNING),
        make_task(attempt=1),
        make_task(attempt=1, status=TaskStatus.RETRYING),
    ],
)
def test_a_start_that_is_no_news_changes_nothing(task):
    assert decide.start(task, SHEPHERD, AttemptUnderWay(task_id=task_id(1), attempt=1, started_ms=5), NOW_MS) is None


@pytest.mark.parametrize(("told", "kept"), [(5, 5), (0, NOW_MS)])
def test_a_start_says_when(told, kept):
    under_way = AttemptUnderWay(task_id=task_id(1), attempt=1, started_ms=told)
    started = decide.start(make_live(), SHEPHERD, under_way, NOW_MS)
    assert started is not None
    assert (started.started_ms, started.attempt, started.shepherd_id) == (kept, 1, SHEPHERD)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (None, "the task has ended, or is unknown"),
        (make_task(), "the task is pending: no attempt of it is live"),
        (make_task(status=TaskStatus.SCHEDULED), "the task is scheduled: no attempt of it is live"),
        (make_task(status=TaskStatus.RETRYING, attempt=1), "the task is retrying: no attempt of it is live"),
        (make_live(attempt=2), "attempt 2 is the live one"),
        (make_live(shepherd_id=OTHER_SHEPHERD), f"the live attempt is with shepherd {OTHER_SHEPHERD}"),
        (make_live(), None),
        (make_live(status=TaskStatus.RUNNING), None),
    ],
)
def test_only_the_live_attempt_of_that_shepherd_may_end_a_task(task, reason):
    assert decide.refusal(task, SHEPHERD, 1) == reason


def test_a_success_ends_the_task_with_its_result():
    task = make_live(started_ms=77)
    decided = decide.end_attempt(task, make_result(task, result='{"a":1}'), DEFAULT, NOW_MS, 0.5)
    ended_attempt, ended_task = decided.events
    assert isinstance(ended_attempt, AttemptEnded)
    assert isinstance(ended_task, TaskEnded)
    assert (ended_attempt.outcome, ended_attempt.started_ms) == (AttemptOutcome.SUCCEEDED, 77)
    assert decided.task is not None
    assert (decided.task.status, decided.task.result, decided.task.error_type) == (TaskStatus.SUCCEEDED, '{"a":1}', "")
    assert (decided.task.error_data, decided.task.retriable) == ("{}", False)


def test_a_success_without_a_result_is_null():
    task = make_live()
    decided = decide.end_attempt(task, make_result(task, result=None), DEFAULT, NOW_MS, 0.5)
    assert decided.task is not None
    assert decided.task.result == "null"


def test_a_failure_keeps_the_error_and_no_result():
    task = make_live()
    failed = make_failure(task, error_type="KeyError", result="5", error_data='{"k":1}')
    decided = decide.end_attempt(task, failed, DEFAULT, NOW_MS, 0.5)
    assert decided.task is not None
    assert (decided.task.status, decided.task.result) == (TaskStatus.FAILED, None)
    assert (decided.task.error_type, decided.task.error_message, decided.task.error_data, decided.task.retriable) == (
        "KeyError",
        "no such page",
        '{"k":1}',
        True,
    )


@pytest.mark.parametrize(
    ("outcome", "error_type"),
    [
        (AttemptOutcome.FAILED, "Error"),
        (AttemptOutcome.TIMED_OUT, "TimedOut"),
        (AttemptOutcome.CANCELLED, "Cancelled"),
    ],
)
def test_an_error_that_has_no_name_gets_one(outcome, error_type):
    task = make_live()
    failed = make_failure(task, outcome=outcome, error_type="", error_message="")
    decided = decide.end_attempt(task, failed, DEFAULT, NOW_MS, 0.5)
    assert decided.task is not None
    assert decided.task.error_type == error_type
    assert decided.task.error_message  # the reason why it is over


def test_another_attempt_is_due_later_or_at_once():
    task = make_live()
    later = decide.end_attempt(task, make_failure(task), every_error(delay=2.0), NOW_MS, 0.5)
    assert later.task is None
    assert later.due_ms == NOW_MS + 2000
    retrying = later.events[1]
    assert isinstance(retrying, TaskRetrying)
    assert (retrying.due_ms, retrying.reason) == (NOW_MS + 2000, "ValueError is tried again")
    at_once = decide.end_attempt(task, make_failure(task), every_error(), NOW_MS, 0.5)
    assert at_once.due_ms == 0


def test_the_facts_of_the_attempt_are_kept():
    task = make_live()
    measured = make_result(
        task,
        started_ms=5,
        exit_code=0,
        signal=9,
        peak_memory_bytes=1,
        cpu_us=2,
        log_bytes=3,
        log_lines=4,
        isolation="jail",
        left_behind="a process",
    )
    event = decide.end_attempt(task, measured, DEFAULT, NOW_MS, 0.5).events[0]
    assert isinstance(event, AttemptEnded)
    assert (event.started_ms, event.exit_code, event.signal, event.isolation) == (5, 0, 9, "jail")
    assert (event.peak_memory_bytes, event.cpu_us, event.log_bytes, event.log_lines) == (1, 2, 3, 4)
    assert event.left_behind == "a process"


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.SCHEDULED, TaskStatus.RETRYING])
def test_cancel_ends_at_once_what_no_shepherd_has(status):
    decided = decide.cancel(make_task(status=status), "not needed", NOW_MS)
    (event,) = decided.events
    assert isinstance(event, TaskEnded)
    assert (event.status, event.reason) == (TaskStatus.CANCELLED, "not needed")
    assert decided.task is not None
    assert (decided.task.error_type, decided.task.error_message) == ("Cancelled", "not needed")


def test_cancel_without_a_reason_says_so():
    decided = decide.cancel(make_task(), "", NOW_MS)
    assert decided.task is not None
    assert decided.task.error_message == "cancelled before it ran"


@pytest.mark.parametrize("status", [TaskStatus.ASSIGNED, TaskStatus.RUNNING])
def test_cancel_of_a_live_attempt_is_a_request_once(status):
    task = make_live(status=status)
    decided = decide.cancel(task, "why not", NOW_MS)
    (event,) = decided.events
    assert isinstance(event, TaskCancelRequested)
    assert (event.reason, decided.task) == ("why not", None)
    task.cancel_requested = True
    assert decide.cancel(task, "again", NOW_MS).events == ()


def test_a_refused_result_is_a_fact():
    event = decide.refuse(make_result(task_id(1), 3), SHEPHERD, "default", "too late", NOW_MS)
    assert (event.task_id, event.attempt, event.shepherd_id, event.reason) == (task_id(1), 3, SHEPHERD, "too late")
