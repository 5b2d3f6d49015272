"""Attempts through the engine: results, retries, cancels, leases, deadlines, and all of it over a restart."""

from __future__ import annotations

import pytest

from sandbox.model.event import EventType
from sandbox.model.retry_policy import DEFAULT
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.scheduler.commands import AttemptUnderWay, Progress
from sandbox.scheduler.timers import DEADLINE_GRACE_S
from tests.support.core import EngineWorld
from tests.support.factories import (
    OTHER_SHEPHERD,
    SHEPHERD,
    every_error,
    make_failure,
    make_new,
    make_result,
    task_id,
)
from tests.support.manual_clock import settle


def under_way(task, attempt=1, started_ms=5):
    return AttemptUnderWay(task_id=task.task_id, attempt=attempt, started_ms=started_ms)


# ── results ──────────────────────────────────────────────────────────────────────────────────────────


async def test_the_way_of_a_task_is_on_disk(world: EngineWorld):
    task = await world.live(args="[1]")
    world.engine.attempt_started(SHEPHERD, under_way(task))
    world.engine.attempt_ended(SHEPHERD, make_result(task, result="42", started_ms=5))
    await settle()
    assert await world.kept_events(task.task_id) == [
        "task-created",
        "attempt-assigned",
        "attempt-started",
        "attempt-ended",
        "task-ended",
    ]
    record = await world.record(task.task_id)
    assert (record.status, record.result, record.attempt, record.args) == (TaskStatus.SUCCEEDED, "42", 1, "[1]")
    assert len(world.engine.taskset) == 0


async def test_a_start_that_comes_twice_is_one_event(world: EngineWorld):
    task = await world.live()
    for _ in range(2):
        world.engine.attempt_started(SHEPHERD, under_way(task))
    await settle()
    assert world.types().count("attempt-started") == 1
    assert (await world.record(task.task_id)).status is TaskStatus.RUNNING


async def test_a_retry_at_once_goes_out_in_the_same_commit(world: EngineWorld):
    task = await world.live(retry_policy=every_error())
    world.dispatch.places[OTHER_SHEPHERD] = 1
    groups = len(world.store.groups)
    world.engine.attempt_ended(SHEPHERD, make_failure(task))
    await settle()
    assert len(world.store.groups) == groups + 1
    assert [event.type.word for event in world.store.groups[-1].events] == [
        "attempt-ended",
        "task-retrying",
        "attempt-assigned",
    ]
    assert (task.status, task.attempt, task.shepherd_id) == (TaskStatus.ASSIGNED, 2, OTHER_SHEPHERD)
    assert world.dispatch.sent[-1] == (task.task_id, 2, OTHER_SHEPHERD)


async def test_a_backoff_ends_when_its_time_has_come_and_not_before(world: EngineWorld):
    task = await world.live(retry_policy=every_error(delay=30))
    world.engine.attempt_ended(SHEPHERD, make_failure(task))
    await settle()
    world.dispatch.places[SHEPHERD] = 1
    assert (await world.record(task.task_id)).status is TaskStatus.RETRYING
    await world.pass_time(29.9)
    assert task.status is TaskStatus.RETRYING
    await world.pass_time(0.2)
    assert (task.status, task.attempt) == (TaskStatus.ASSIGNED, 2)
    assert (await world.record(task.task_id)).attempt == 2


async def test_a_scheduled_task_starts_at_its_time(world: EngineWorld):
    world.dispatch.places[SHEPHERD] = 1
    task = await world.created(not_before_ms=world.clock.now_ms() + 60_000)
    assert (await world.record(task.task_id)).status is TaskStatus.SCHEDULED
    await world.pass_time(59)
    assert task.status is TaskStatus.SCHEDULED
    await world.pass_time(1)
    assert (task.status, task.attempt) == (TaskStatus.ASSIGNED, 1)


async def test_an_earlier_timer_overtakes_a_later_one(world: EngineWorld):
    now_ms = world.clock.now_ms()
    late = await world.created(not_before_ms=now_ms + 3_600_000)
    early = await world.created(not_before_ms=now_ms + 1_000)
    await world.pass_time(1)
    assert (early.status, late.status) == (TaskStatus.PENDING, TaskStatus.SCHEDULED)
    await world.pass_time(3600)
    assert late.status is TaskStatus.PENDING


@pytest.mark.parametrize("own", [True, False])
async def test_whose_policy_counts(world: EngineWorld, own: bool):
    """The task's own, else the definition's, else Azolla's default."""
    world.dispatch.policies["render"] = every_error(max_attempts=7)
    task = await world.live(retry_policy=every_error(max_attempts=1) if own else None)
    world.engine.attempt_ended(SHEPHERD, make_failure(task, error_type="Odd"))
    await settle()
    assert world.engine.is_unended(task.task_id) is not own


async def test_without_any_policy_azollas_default_counts(world: EngineWorld):
    task = await world.live()
    world.engine.attempt_ended(SHEPHERD, make_failure(task, error_type="KeyError"))
    await settle()
    assert world.audience.ended_tasks[0].status is TaskStatus.FAILED
    assert "KeyError" not in DEFAULT.include_errors


# ── results that don't count ─────────────────────────────────────────────────────────────────────────


async def refusals(world: EngineWorld) -> list[tuple[str, int, str]]:
    await settle()
    events = await world.store.reader.events_after(0, 1000)
    return [
        (event.task_id, event.attempt, event.metadata["reason"])
        for event in events
        if event.type == EventType.RESULT_REFUSED
    ]


async def test_a_late_result_is_refused_and_recorded(world: EngineWorld):
    task = await world.live(retry_policy=every_error())
    world.engine.lose(task, "gone")
    await settle()
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task, 1))
    assert await refusals(world) == [(task.task_id, 1, "the task is pending: no attempt of it is live")]
    world.dispatch.places[OTHER_SHEPHERD] = 1
    world.engine.places_freed()
    await settle()
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task, 1))
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task, 2))
    assert [reason for _, _, reason in await refusals(world)][1:] == [
        "attempt 2 is the live one",
        f"the live attempt is with shepherd {OTHER_SHEPHERD}",
    ]
    assert task.status is TaskStatus.ASSIGNED


async def test_a_duplicate_of_an_accepted_result_is_neither_counted_nor_recorded(world: EngineWorld):
    task = await world.live()
    world.store.hold()
    assert world.engine.attempt_ended(SHEPHERD, make_result(task))
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task))  # not yet on disk
    world.store.release()
    await settle()
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task))  # on disk
    assert await refusals(world) == []
    assert len(world.audience.ended_tasks) == 1


async def test_a_result_of_another_attempt_of_an_ended_task_is_recorded(world: EngineWorld):
    task = await world.live()
    world.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    assert not world.engine.attempt_ended(SHEPHERD, make_failure(task.task_id, 2))
    assert await refusals(world) == [(task.task_id, 2, "the task has ended, or is unknown")]


async def test_a_result_for_a_task_that_never_was(world: EngineWorld):
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task_id(7)))
    assert await refusals(world) == [(task_id(7), 1, "the task has ended, or is unknown")]


async def test_progress_of_the_live_attempt_only(world: EngineWorld):
    task = await world.live()
    noted = Progress(task_id=task.task_id, attempt=1, time_ms=1, note="3 of 9")
    world.engine.progress(OTHER_SHEPHERD, noted)
    world.engine.progress(SHEPHERD, Progress(task_id=task.task_id, attempt=2, time_ms=1, note="x"))
    assert world.engine.taskset.progress == {}
    world.engine.progress(SHEPHERD, noted)
    assert world.engine.taskset.progress == {task.task_id: noted}


# ── cancel ───────────────────────────────────────────────────────────────────────────────────────────


async def test_cancel_of_a_pending_task(world: EngineWorld):
    task = await world.created()
    world.engine.cancel(task, "not needed")
    await settle()
    world.dispatch.places[SHEPHERD] = 1
    world.engine.places_freed()
    await settle()
    assert [(ended.status, ended.error_message) for ended in world.audience.ended_tasks] == [
        (TaskStatus.CANCELLED, "not needed")
    ]
    assert world.dispatch.sent == []
    assert world.dispatch.cancels == []


async def test_cancel_of_a_scheduled_and_of_a_retrying_task(world: EngineWorld):
    scheduled = await world.created(not_before_ms=world.clock.now_ms() + 1000)
    retrying = await world.live(retry_policy=every_error(delay=1))
    world.engine.attempt_ended(SHEPHERD, make_failure(retrying))
    await settle()
    for task in (scheduled, retrying):
        world.engine.cancel(task, "")
    world.dispatch.places[SHEPHERD] = 2
    await world.pass_time(5)
    assert {ended.status for ended in world.audience.ended_tasks} == {TaskStatus.CANCELLED}
    assert len(world.audience.ended_tasks) == 2
    assert len(world.dispatch.sent) == 1


@pytest.mark.parametrize("started", [False, True])
async def test_cancel_of_a_live_attempt_asks_after_the_commit(world: EngineWorld, started: bool):
    task = await world.live()
    if started:
        world.engine.attempt_started(SHEPHERD, under_way(task))
        await settle()
    world.store.hold()
    world.engine.cancel(task, "enough")
    await settle()
    assert world.dispatch.cancels == []
    world.store.release()
    await settle()
    assert world.dispatch.cancels == [(task.task_id, 1, "enough")]
    assert world.audience.ended_tasks == []
    assert (await world.record(task.task_id)).cancel_requested
    world.engine.attempt_ended(SHEPHERD, make_failure(task, outcome=AttemptOutcome.CANCELLED, error_type="Cancelled"))
    await settle()
    assert [ended.status for ended in world.audience.ended_tasks] == [TaskStatus.CANCELLED]


async def test_cancel_in_the_turn_in_which_the_task_is_assigned(world: EngineWorld):
    world.dispatch.places[SHEPHERD] = 1
    world.store.hold()
    task = world.engine.create(make_new())
    await settle()
    assert task.status is TaskStatus.ASSIGNED
    world.engine.cancel(task, "")
    world.store.release()
    await settle()
    assert world.dispatch.sent == [(task.task_id, 1, SHEPHERD)]
    assert world.dispatch.cancels == [(task.task_id, 1, "")]


async def test_a_task_that_succeeds_despite_its_cancel_has_succeeded(world: EngineWorld):
    task = await world.live()
    world.engine.cancel(task, "")
    await settle()
    world.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    assert [ended.status for ended in world.audience.ended_tasks] == [TaskStatus.SUCCEEDED]


async def test_a_cancelled_task_isnt_tried_again(world: EngineWorld):
    task = await world.live(retry_policy=every_error(max_attempts=None))
    world.engine.cancel(task, "")
    await settle()
    world.engine.attempt_ended(SHEPHERD, make_failure(task))
    await settle()
    assert [ended.status for ended in world.audience.ended_tasks] == [TaskStatus.CANCELLED]


async def test_cancel_twice_is_one_request(world: EngineWorld):
    task = await world.live()
    world.engine.cancel(task, "one")
    world.engine.cancel(task, "two")
    await settle()
    assert world.types().count("task-cancel-requested") == 1


async def test_where_the_shepherd_cant_be_asked_the_attempt_counts_as_over(world: EngineWorld):
    world.dispatch.reaches = False
    task = await world.live()
    world.engine.cancel(task, "enough")
    await settle()
    assert [(ended.status, ended.error_message) for ended in world.audience.ended_tasks] == [
        (TaskStatus.CANCELLED, "enough")
    ]
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task.task_id))


async def test_a_result_that_comes_before_the_cancel_is_on_disk_wins(world: EngineWorld):
    world.dispatch.reaches = False
    task = await world.live()
    world.store.hold()
    world.engine.cancel(task, "enough")
    await settle()
    world.engine.attempt_ended(SHEPHERD, make_result(task))
    world.store.release()
    await settle()
    assert [ended.status for ended in world.audience.ended_tasks] == [TaskStatus.SUCCEEDED]


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────


async def test_when_a_lease_runs_out_its_attempts_are_lost_in_one_commit(world: EngineWorld):
    tasks = [await world.live(retry_policy=every_error()) for _ in range(2)]
    other = await world.live(OTHER_SHEPHERD)
    world.engine.watch_lease(SHEPHERD)
    world.dispatch.leases[SHEPHERD] = -0.1
    world.dispatch.places[OTHER_SHEPHERD] = 2
    groups = len(world.store.groups)
    await world.pass_time(10)
    assert len(world.store.groups) == groups + 1
    types = [event.type.word for event in world.store.groups[-1].events]
    assert types == ["shepherd-lost", *["attempt-ended", "task-retrying"] * 2, *["attempt-assigned"] * 2]
    assert {task.shepherd_id for task in tasks} == {OTHER_SHEPHERD}
    assert [(task.attempt, task.lost, task.uncounted) for task in tasks] == [(2, 1, 1)] * 2
    assert (other.attempt, other.shepherd_id) == (1, OTHER_SHEPHERD)
    assert world.dispatch.lost_ones == [SHEPHERD]
    for task in tasks:
        assert not world.engine.attempt_ended(SHEPHERD, make_result(task, 1))


async def test_a_lease_that_was_renewed_loses_nothing(world: EngineWorld):
    task = await world.live()
    world.engine.watch_lease(SHEPHERD)
    for _ in range(5):
        await world.pass_time(10)
    assert (task.status, task.shepherd_id) == (TaskStatus.ASSIGNED, SHEPHERD)
    assert world.dispatch.lost_ones == []


async def test_a_shepherd_that_was_idle_when_it_was_looked_at_is_still_watched(world: EngineWorld):
    world.engine.watch_lease(SHEPHERD)
    await world.pass_time(10)
    await world.pass_time(10)  # nothing to lose so far
    task = await world.live()
    world.dispatch.leases[SHEPHERD] = 0
    await world.pass_time(10)
    assert (task.status, task.lost) == (TaskStatus.PENDING, 1)


async def test_a_lease_is_watched_once_however_often_its_shepherd_comes_and_goes(world: EngineWorld):
    for _ in range(50):
        world.engine.watch_lease(SHEPHERD)
    assert len(world.engine._alarms.timers) == 1
    await world.pass_time(10)
    assert len(world.engine._alarms.timers) == 1


async def test_ten_losses_and_no_more(world: EngineWorld):
    task = await world.live()
    for loss in range(11):
        world.engine.lose(task, "gone")
        world.dispatch.places[SHEPHERD] = 1
        await world.pass_time(loss)
    assert [ended.status for ended in world.audience.ended_tasks] == [TaskStatus.LOST]
    assert (await world.record(task.task_id)).attempt == 11


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_deadline_is_kept_for_shepherds_that_keep_none(world: EngineWorld):
    world.dispatch.deadlines = False
    task = await world.live(timeout_ms=5000)
    await world.pass_time(5 + DEADLINE_GRACE_S - 0.1)
    assert world.audience.ended_tasks == []
    await world.pass_time(0.2)
    (ended,) = world.audience.ended_tasks
    assert (ended.status, ended.error_type) == (TaskStatus.TIMED_OUT, "Timeout")
    assert ended.error_message == "not over 20 s after it was assigned"
    assert not world.engine.attempt_ended(SHEPHERD, make_result(task.task_id, 1))


async def test_a_deadline_may_be_tried_again(world: EngineWorld):
    world.dispatch.deadlines = False
    task = await world.live(timeout_ms=5000, retry_policy=every_error())
    world.dispatch.places[SHEPHERD] = 1
    await world.pass_time(5 + DEADLINE_GRACE_S)
    assert (task.status, task.attempt) == (TaskStatus.ASSIGNED, 2)
    await world.pass_time(5)
    assert task.attempt == 2  # the second attempt has a time of its own


async def test_shepherds_that_keep_deadlines_are_left_alone(world: EngineWorld):
    task = await world.live(timeout_ms=5000)
    await world.pass_time(500)
    assert task.status is TaskStatus.ASSIGNED


async def test_a_deadline_holds_over_a_restart(world: EngineWorld):
    world.dispatch.deadlines = False
    task = await world.live(timeout_ms=5000)
    after = await world.crashed()
    after.dispatch.deadlines = False
    await after.pass_time(5 + DEADLINE_GRACE_S)
    assert [(ended.task_id, ended.status) for ended in after.audience.ended_tasks] == [
        (task.task_id, TaskStatus.TIMED_OUT)
    ]


async def test_after_a_restart_a_shepherd_that_keeps_deadlines_is_left_alone(world: EngineWorld):
    task = await world.live(timeout_ms=5000)
    after = await world.crashed()
    await after.pass_time(100)
    assert after.audience.ended_tasks == []
    assert after.engine.is_unended(task.task_id)


# ── restarts ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_restart_finds_everything_where_it_was(world: EngineWorld):
    now_ms = world.clock.now_ms()
    low = await world.created(priority=-1, labels={"a": "b"}, flow_id="f", kwargs='{"a":1}')
    high = await world.created(priority=5, retry_policy=every_error(delay=3))
    scheduled = await world.created(not_before_ms=now_ms + 50_000)
    live = await world.live(priority=99)
    retrying = await world.live(priority=99, retry_policy=every_error(delay=20))
    world.engine.attempt_ended(SHEPHERD, make_failure(retrying))
    await settle()
    after = await world.crashed()
    assert after.types().count("orchestrator-started") == 2
    found = after.engine.taskset.tasks
    assert {task_id: task.status for task_id, task in found.items()} == {
        low.task_id: TaskStatus.PENDING,
        high.task_id: TaskStatus.PENDING,
        scheduled.task_id: TaskStatus.SCHEDULED,
        live.task_id: TaskStatus.ASSIGNED,
        retrying.task_id: TaskStatus.RETRYING,
    }
    assert (found[low.task_id].labels, found[low.task_id].flow_id) == ({"a": "b"}, "f")
    assert found[high.task_id].retry_policy == every_error(delay=3)
    assert after.engine.attempt_ended(SHEPHERD, make_result(found[live.task_id]))
    after.dispatch.places[SHEPHERD] = 10
    after.engine.places_freed()
    await settle()
    assert [sent[:2] for sent in after.dispatch.sent] == [(high.task_id, 1), (low.task_id, 1)]
    await after.pass_time(20)
    assert after.dispatch.sent[-1][:2] == (retrying.task_id, 2)
    await after.pass_time(30)
    assert after.dispatch.sent[-1][:2] == (scheduled.task_id, 1)


async def test_what_was_due_while_nobody_ran_is_due_at_once(world: EngineWorld):
    task = await world.created(not_before_ms=world.clock.now_ms() + 1000)
    world.clock.advance(0.5)
    world.engine._alarms._timer.cancel()  # it has crashed
    world.clock.advance(100)
    after = await EngineWorld(world.store, world.clock).start()
    assert after.engine.taskset.tasks[task.task_id].status is TaskStatus.PENDING


async def test_a_shepherd_that_never_comes_back_after_a_restart_loses_its_attempts(world: EngineWorld):
    task = await world.live()
    after = await world.crashed()
    assert after.engine.taskset.tasks[task.task_id].shepherd_id == SHEPHERD
    after.dispatch.leases[SHEPHERD] = 0
    await after.pass_time(10)
    assert after.engine.taskset.tasks[task.task_id].status is TaskStatus.PENDING
    assert after.engine.taskset.tasks[task.task_id].lost == 1


async def test_a_result_after_a_restart_counts(world: EngineWorld):
    task = await world.live()
    after = await world.crashed()
    assert after.engine.attempt_ended(SHEPHERD, make_result(task.task_id, 1))
    await settle()
    assert [ended.status for ended in after.audience.ended_tasks] == [TaskStatus.SUCCEEDED]


async def test_losses_are_remembered_over_a_restart(world: EngineWorld):
    task = await world.live()
    world.engine.lose(task, "gone")
    after = await world.crashed()
    found = after.engine.taskset.tasks[task.task_id]
    assert (found.lost, found.uncounted, found.attempt) == (1, 1, 1)


async def test_idempotency_keys_hold_over_a_restart_ended_tasks_included(world: EngineWorld):
    ended = await world.live(idempotency_key="ended")
    waiting = await world.created(idempotency_key="waiting")
    world.engine.attempt_ended(SHEPHERD, make_result(ended))
    after = await world.crashed()
    assert after.engine.taskset.by_key == {
        ("default", "waiting"): waiting.task_id,
        ("default", "ended"): ended.task_id,
    }


async def test_domains_keep_their_numbers(world: EngineWorld):
    from sandbox.model.ids import explain

    one = await world.created(domain="one")
    other = await world.created(domain="other")
    after = await world.crashed()
    again = await after.created(domain="one")
    assert explain(again.task_id).domain_number == explain(one.task_id).domain_number
    assert explain(again.task_id).domain_number != explain(other.task_id).domain_number


async def test_cancel_that_was_asked_for_is_remembered(world: EngineWorld):
    task = await world.live()
    world.engine.cancel(task, "")
    after = await world.crashed()
    found = after.engine.taskset.tasks[task.task_id]
    assert found.cancel_requested
    after.engine.lose(found, "gone")
    await settle()
    assert [ended.status for ended in after.audience.ended_tasks] == [TaskStatus.CANCELLED]
