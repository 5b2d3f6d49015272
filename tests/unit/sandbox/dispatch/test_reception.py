"""A shepherd comes, says what it has, and goes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.dispatch.connection import Connection
from sandbox.errors import NotAllowed
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import Task
from tests.support.core import CoreWorld
from tests.support.factories import (
    OTHER_SHEPHERD,
    SHEPHERD,
    every_error,
    make_azolla_info,
    make_connection,
    make_failure,
    make_info,
    make_new,
    make_result,
    task_id,
)
from tests.support.manual_clock import settle


async def comes(core: CoreWorld, **changes: Any) -> Connection:
    connection = make_connection(make_info(**changes))
    core.reception.welcome(connection)
    await settle()
    return connection


async def azolla_comes(core: CoreWorld) -> Connection:
    connection = make_connection(make_azolla_info())
    core.reception.welcome(connection)
    await settle()
    return connection


def reads(core: CoreWorld, connection: Connection) -> list[Task]:
    """What the transport does: take what waits, and note what an Azolla shepherd was sent."""
    tasks = connection.take().tasks
    if not connection.info.speaks_extensions:
        core.shepherds.known[connection.info.shepherd_id].sent.update((task.task_id, task.attempt) for task in tasks)
    return tasks


async def created(core: CoreWorld, **changes: Any) -> Task:
    task = core.engine.create(make_new(**changes))
    await core.engine.durable()
    await settle()
    return task


def types(core: CoreWorld) -> list[str]:
    return [event.type.word for group in core.store.groups for event in group.events]


async def test_what_waits_goes_to_who_comes(core):
    task = await created(core)
    assert task.status is TaskStatus.PENDING
    connection = await comes(core)
    assert reads(core, connection) == [task]
    assert (task.status, task.shepherd_id) == (TaskStatus.ASSIGNED, SHEPHERD)
    assert "shepherd-connected" in types(core)
    (known,) = await core.store.reader.shepherds()
    assert (known.shepherd_id, known.connected) == (SHEPHERD, True)


async def test_an_end_of_the_stream_changes_no_attempt(core):
    task = await created(core)
    connection = await comes(core)
    core.reception.goodbye(connection, "the cable")
    await settle()
    assert (task.status, task.shepherd_id) == (TaskStatus.ASSIGNED, SHEPHERD)
    assert types(core)[-1] == "shepherd-left"
    core.reception.goodbye(connection, "again")
    await settle()
    assert types(core).count("shepherd-left") == 1


async def test_attempts_that_it_still_has_go_on(core):
    task = await created(core)
    first = await comes(core)
    core.reception.goodbye(first, "the cable")
    second = await comes(core, epoch=2, standing=[(task.task_id, 1)])
    assert (task.attempt, task.lost, task.shepherd_id) == (1, 0, SHEPHERD)
    assert reads(core, second) == []


async def test_attempts_that_it_has_no_more_are_lost_at_once(core):
    task = await created(core)
    first = await comes(core)
    core.reception.goodbye(first, "killed")
    second = await comes(core, epoch=2)
    assert (task.attempt, task.lost, task.uncounted) == (2, 1, 1)
    assert reads(core, second) == [task]
    assert not core.engine.attempt_ended(SHEPHERD, make_result(task, 1))


@pytest.mark.parametrize("which", ["unknown", "older attempt", "of another shepherd", "ended"])
async def test_standing_attempts_that_are_not_its_live_ones_are_refused(core, which):
    connection = await comes(core)
    task = await created(core)
    key = (task.task_id, 1)
    match which:
        case "unknown":
            key = (task_id(99), 1)
        case "older attempt":
            core.engine.lose(task, "gone")
        case "of another shepherd":
            key = (task.task_id, 1)
        case "ended":
            core.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    core.reception.goodbye(connection, "")
    who = OTHER_SHEPHERD if which == "of another shepherd" else SHEPHERD
    again = make_connection(make_info(who, epoch=2, standing=[key]))
    assert core.reception.welcome(again) == [key]


async def test_standing_attempts_that_are_live_are_not_refused(core):
    task = await created(core)
    await comes(core)
    again = make_connection(make_info(epoch=1, standing=[(task.task_id, 1)]))
    assert core.reception.welcome(again) == []


async def test_an_earlier_start_of_the_same_shepherd_is_not_let_in(core):
    present = await comes(core, epoch=5)
    with pytest.raises(NotAllowed) as caught:
        core.reception.welcome(make_connection(make_info(epoch=4)))
    assert caught.value.why == "epoch 4 came after epoch 5"
    assert core.shepherds.connected[SHEPHERD] is present
    assert present.close_with is None


@pytest.mark.parametrize("epoch", [5, 6])
async def test_the_newest_stream_of_a_shepherd_is_the_one(core, epoch):
    before = await comes(core, epoch=5)
    task = await created(core)
    now = await comes(core, epoch=epoch, standing=[(task.task_id, 1)])
    assert before.close_with == "the same shepherd has connected again"
    core.reception.goodbye(before, "closed")  # late: it must not take the new one with it
    assert core.shepherds.connected[SHEPHERD] is now
    assert task.status is TaskStatus.ASSIGNED


async def test_a_cancel_that_came_while_it_was_away_is_told_when_it_is_back(core):
    task = await created(core)
    first = await comes(core)
    core.reception.goodbye(first, "the cable")
    core.engine.cancel(task, "enough")
    await settle()
    assert task.status is TaskStatus.ASSIGNED
    second = await comes(core, standing=[(task.task_id, 1)])
    assert second.take().cancels == [(task.task_id, 1, "cancelled while the connection was gone")]
    core.engine.attempt_ended(SHEPHERD, make_failure(task, outcome=AttemptOutcome.CANCELLED))
    await settle()
    assert core.engine.ended_task(task.task_id).status is TaskStatus.CANCELLED


async def test_a_cancelled_attempt_that_it_has_no_more_is_over(core):
    task = await created(core)
    first = await comes(core)
    core.reception.goodbye(first, "")
    core.engine.cancel(task, "enough")
    await comes(core, epoch=2)
    assert core.engine.ended_task(task.task_id).status is TaskStatus.CANCELLED


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────


async def test_one_that_stays_away_loses_its_attempts(core):
    task = await created(core, retry_policy=every_error())
    first = await comes(core)
    core.reception.goodbye(first, "")
    await core.pass_time(9.9)
    assert task.shepherd_id == SHEPHERD
    await core.pass_time(0.2)
    assert (task.status, task.lost) == (TaskStatus.PENDING, 1)
    assert "shepherd-lost" in types(core)


async def test_one_that_is_connected_and_silent_loses_its_attempts_and_its_stream(core):
    connection = await comes(core)
    await core.pass_time(8)
    core.shepherds.heard(SHEPHERD)
    await core.pass_time(8)  # it was idle and heard of when its lease was looked at
    core.shepherds.heard(SHEPHERD)
    task = await created(core)
    assert task.shepherd_id == SHEPHERD
    await core.pass_time(10.5)
    assert (task.status, task.lost) == (TaskStatus.PENDING, 1)
    assert connection.close_with == "nothing was heard of this shepherd for longer than its lease"
    # It says hello again and is told which attempt isn't its own any more.
    back = make_connection(make_info(standing=[(task.task_id, 1)]))
    assert core.reception.welcome(back) == [(task.task_id, 1)]
    await settle()
    assert reads(core, back) == [task]
    assert task.attempt == 2


async def test_one_that_speaks_keeps_its_attempts(core):
    await comes(core)
    task = await created(core)
    for _ in range(20):
        await core.pass_time(5)
        core.shepherds.heard(SHEPHERD)
    assert (task.shepherd_id, task.lost) == (SHEPHERD, 0)


# ── Azolla's ─────────────────────────────────────────────────────────────────────────────────────────


async def test_an_azolla_shepherd_that_comes_back_keeps_what_it_was_sent(core):
    task = await created(core)
    first = await azolla_comes(core)
    assert reads(core, first) == [task]
    core.reception.goodbye(first, "")
    second = await azolla_comes(core)
    assert reads(core, second) == []
    assert (task.attempt, task.shepherd_id) == (1, SHEPHERD)
    assert core.shepherds.known[SHEPHERD].sent == {task.task_id: 1}


async def test_what_never_reached_an_azolla_shepherd_is_given_out_again(core):
    first = await azolla_comes(core)
    task = await created(core)
    core.reception.goodbye(first, "broke before anything was written")
    second = await azolla_comes(core)
    assert reads(core, second) == [task]
    assert (task.attempt, task.lost) == (2, 1)


async def test_after_a_restart_an_azolla_shepherd_is_believed_to_have_what_it_was_given(core):
    task = await created(core)
    reads(core, await azolla_comes(core))
    after = await CoreWorld(core.store, core.clock).start()
    second = await azolla_comes(after)
    assert reads(after, second) == []
    assert after.shepherds.known[SHEPHERD].sent == {task.task_id: 1}


async def test_an_azolla_shepherd_cant_be_asked_so_a_cancel_ends_the_task(core):
    task = await created(core)
    reads(core, await azolla_comes(core))
    core.engine.cancel(task, "enough")
    await settle()
    assert core.engine.ended_task(task.task_id).status is TaskStatus.CANCELLED


async def test_a_cancel_that_a_crash_left_halfway_is_carried_out(core):
    task = await created(core)
    reads(core, await azolla_comes(core))
    core.store.hold()
    core.engine.cancel(task, "enough")
    await settle()
    core.store.release()  # the request is on disk, and nothing more happens: the process is gone
    after = await CoreWorld(core.store, core.clock).start()
    assert after.engine.taskset.tasks[task.task_id].cancel_requested
    await azolla_comes(after)
    assert after.engine.ended_task(task.task_id).status is TaskStatus.CANCELLED
