"""Why a task stands where it stands, in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.model.event import EventType
from sandbox.model.status import TaskStatus
from sandbox.scheduler.explain import Why, explain
from sandbox.store.contract import EventRecord, TaskRecord
from tests.support.factories import NOW_MS, SHEPHERD, every_error, make_record, make_task, make_taskset, task_id


def record(status: TaskStatus, **changes: Any) -> TaskRecord:
    return make_record(status=status, **changes)


def event(kind: EventType, attempt: int = 1, **metadata: Any) -> EventRecord:
    return EventRecord(
        seq=1,
        time_ms=NOW_MS,
        type=kind,
        domain="default",
        task_id=task_id(1),
        attempt=attempt,
        shepherd_id="",
        metadata=metadata,
    )


def why(found: TaskRecord, *events: EventRecord, tasks=(), servers=()) -> Why:
    taskset, ready = make_taskset(list(tasks))
    return explain(found, events, live=taskset.get(found.task_id), ready=ready, servers=list(servers), now_ms=NOW_MS)


FAILED = event(EventType.ATTEMPT_ENDED, 2, outcome="failed", error_type="ValueError", error_message="no.\nmore")


@pytest.mark.parametrize(
    ("servers", "known"),
    [
        ([], "No shepherd is connected."),
        ([(False, False, "gpu")], "No shepherd is connected."),
        ([(True, False, "default")], "The shepherds that serve it are not connected."),
        ([(False, True, "gpu"), (False, True, "cpu")], "Connected shepherds serve cpu, gpu."),
    ],
)
def test_pending_without_anybody_who_serves_it(servers, known):
    told = why(record(TaskStatus.PENDING), servers=servers)
    assert told.sentence == f"No connected shepherd serves queue default of domain default. {known}"


def test_pending_behind_others():
    ahead = [make_task(number, priority=1) for number in range(2, 5)]
    told = why(record(TaskStatus.PENDING), tasks=[make_task(1), *ahead], servers=[(True, True, "default")])
    assert told.sentence == "All places of the shepherds that serve queue default are taken; 3 tasks go before it."
    assert told.detail == {"ahead": 3}
    told = why(record(TaskStatus.PENDING), tasks=[make_task(1)], servers=[(True, True, "default")])
    assert told.sentence.endswith("are taken; it is the next.")


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (record(TaskStatus.SCHEDULED, due_ms=NOW_MS + 90_000), "It waits for its start time, 1 min 30 s from now."),
        (record(TaskStatus.SCHEDULED, due_ms=NOW_MS - 5), "It waits for its start time, 0.0 s from now."),
        (
            record(TaskStatus.ASSIGNED, attempt=2, shepherd_id=SHEPHERD),
            (
                f"Attempt 2 was sent to shepherd {SHEPHERD}, which has not yet said that it runs: "
                "it waits there for a free place."
            ),
        ),
        (
            record(TaskStatus.RUNNING, attempt=1, shepherd_id=SHEPHERD, started_ms=NOW_MS - 7_320_000),
            f"Attempt 1 has run for 2 h 2 min on shepherd {SHEPHERD}.",
        ),
        (record(TaskStatus.SUCCEEDED, attempt=1), "It succeeded at the first attempt."),
        (record(TaskStatus.SUCCEEDED, attempt=3), "It succeeded at attempt 3."),
    ],
)
def test_where_nothing_went_wrong(found, sentence):
    assert why(found).sentence == sentence


def test_retrying_tells_the_failure_and_the_time():
    told = why(record(TaskStatus.RETRYING, attempt=2, uncounted=1, due_ms=NOW_MS + 2500), FAILED)
    assert told.sentence == "Attempt 2 failed with ValueError: no. Attempt 3 starts in 2.5 s."
    assert told.detail == {"due_ms": NOW_MS + 2500, "attempts": 1}


def test_dead_tells_the_last_failure_and_why_it_was_the_last():
    told = why(
        record(TaskStatus.DEAD, attempt=3, retry_policy=every_error().to_json(), error_type="ValueError"),
        FAILED,
        event(EventType.TASK_ENDED, reason="all 3 attempts are used up"),
    )
    assert told.sentence == (
        "Attempt 2 failed with ValueError: no. It was not tried again: all 3 attempts are used up."
    )
    assert told.detail == {"attempts": 3, "error_type": "ValueError"}


@pytest.mark.parametrize(("reason", "sentence"), [("", "It was cancelled."), ("enough", "It was cancelled: enough.")])
def test_cancelled(reason, sentence):
    assert why(record(TaskStatus.CANCELLED), event(EventType.TASK_ENDED, reason=reason)).sentence == sentence


@pytest.mark.parametrize(
    ("outcome", "verb"),
    [("timed-out", "timed out"), ("lost", "was lost"), ("handed-back", "was handed back"), ("failed", "failed")],
)
def test_how_an_attempt_ended(outcome, verb):
    ended = event(EventType.ATTEMPT_ENDED, outcome=outcome)
    assert why(record(TaskStatus.LOST, attempt=1), ended).sentence == f"Attempt 1 {verb}."
