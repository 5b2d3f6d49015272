"""One group, one commit; nothing is answered or sent before it; what a refused write leads to."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.errors import StoreDamaged, StoreError, StoreFull
from sandbox.model.event import EventType, TaskEventPublished
from sandbox.model.status import TaskStatus
from tests.support.core import EngineWorld
from tests.support.factories import NOW_MS, SHEPHERD, make_new, make_result
from tests.support.manual_clock import settle


def published(task_id: str) -> TaskEventPublished:
    return TaskEventPublished(time_ms=NOW_MS, task_id=task_id, published_type=1, metadata="{}")


async def test_starting_is_an_event(world: EngineWorld):
    assert world.types() == ["orchestrator-started"]
    (group,) = world.store.groups
    assert group.events[0].type is EventType.ORCHESTRATOR_STARTED


async def test_one_commit_holds_creation_and_assignment(world: EngineWorld):
    world.dispatch.places[SHEPHERD] = 2
    before = len(world.store.groups)
    one, other = world.engine.create(make_new()), world.engine.create(make_new())
    await world.engine.durable()
    assert len(world.store.groups) == before + 1
    group = world.store.groups[-1]
    assert [event.type.word for event in group.events] == [
        "task-created",
        "task-created",
        "attempt-assigned",
        "attempt-assigned",
    ]
    assert [(task.task_id, task.status, task.attempt) for task in group.created] == [
        (one.task_id, TaskStatus.ASSIGNED, 1),
        (other.task_id, TaskStatus.ASSIGNED, 1),
    ]
    assert group.changed == []
    assert world.dispatch.sent == [(one.task_id, 1, SHEPHERD), (other.task_id, 1, SHEPHERD)]


async def test_nothing_is_answered_or_sent_before_the_commit(world: EngineWorld):
    world.store.hold()
    world.dispatch.places[SHEPHERD] = 1
    task = world.engine.create(make_new())
    answered = world.engine.durable()
    told: list[str] = []
    world.engine.after_commit(lambda: told.append("after"))
    news = world.audience.rounds_of_news
    await settle()
    assert task.status is TaskStatus.ASSIGNED  # decided
    assert not answered.done()
    assert (world.dispatch.sent, told, world.audience.rounds_of_news) == ([], [], news)
    world.store.release()
    await settle()
    assert answered.done()
    assert (world.dispatch.sent, told) == ([(task.task_id, 1, SHEPHERD)], ["after"])
    assert world.audience.rounds_of_news == news + 1


async def test_ends_are_told_only_when_they_are_on_disk(world: EngineWorld):
    task = await world.live()
    world.store.hold()
    assert world.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    assert world.engine.is_unended(task.task_id)
    assert (world.audience.ended_tasks, world.engine.ended_task(task.task_id)) == ([], None)
    world.store.release()
    await settle()
    assert not world.engine.is_unended(task.task_id)
    assert [each.task_id for each in world.audience.ended_tasks] == [task.task_id]
    assert world.engine.ended_task(task.task_id) == world.audience.ended_tasks[0]


async def test_while_one_group_is_on_its_way_the_next_one_fills(world: EngineWorld):
    world.store.hold()
    first = world.engine.create(make_new())
    await settle()
    rest = [world.engine.create(make_new()) for _ in range(5)]
    later = world.engine.durable()
    await settle()
    assert [len(group.created) for group in world.store.groups[1:]] == [1]
    world.store.release()
    await later
    assert [len(group.created) for group in world.store.groups[1:]] == [1, 5]
    assert world.store.groups[1].created[0].task_id == first.task_id
    assert {task.task_id for task in world.store.groups[2].created} == {task.task_id for task in rest}


async def test_durable_waits_for_what_is_on_its_way(world: EngineWorld):
    world.store.hold()
    world.engine.create(make_new())
    await settle()
    answered = world.engine.durable()
    groups = len(world.store.groups)
    await settle()
    assert not answered.done()
    world.store.release()
    await answered
    assert len(world.store.groups) == groups  # no write of its own


async def test_durable_with_nothing_decided_writes_nothing(world: EngineWorld):
    groups = len(world.store.groups)
    await world.engine.durable()
    assert len(world.store.groups) == groups


async def test_after_commit_runs_at_once_where_all_is_on_disk(world: EngineWorld):
    told: list[int] = []
    world.engine.after_commit(lambda: told.append(1))
    assert told == [1]
    world.store.hold()
    world.engine.append(published("x"))
    await settle()
    world.engine.after_commit(lambda: told.append(2))  # joins the group that is on its way
    await settle()
    assert told == [1]
    world.store.release()
    await settle()
    assert told == [1, 2]


async def test_a_caller_who_gave_up_is_no_trouble(world: EngineWorld):
    world.store.hold()
    world.engine.create(make_new())
    answered = world.engine.durable()
    await settle()
    answered.cancel()
    world.store.release()
    await settle()
    await world.engine.durable()


async def test_a_bug_in_who_is_told_doesnt_hold_up_the_next_group(world: EngineWorld):
    loop = asyncio.get_running_loop()
    bugs: list[object] = []
    loop.set_exception_handler(lambda _, context: bugs.append(context["exception"]))
    world.store.hold()
    world.engine.create(make_new())
    world.engine.after_commit(lambda: 1 / 0)
    await settle()
    world.engine.create(make_new())  # into the next group
    answered = world.engine.durable()
    world.store.release()
    await settle()
    assert answered.done()
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]


# ── refused writes ───────────────────────────────────────────────────────────────────────────────────


async def test_a_refused_write_reaches_everybody_who_waits(world: EngineWorld):
    kept = await world.created(name="kept")
    told: list[str] = []
    world.store.hold()
    world.dispatch.places[SHEPHERD] = 1
    world.engine.create(make_new(name="first"))
    first = world.engine.durable()
    await settle()
    world.engine.create(make_new(name="second"))  # decided while the first is on its way
    second = world.engine.durable()
    world.engine.after_commit(lambda: told.append("acked"))
    await settle()
    served = len(world.dispatch.served)

    world.store.refuse()
    await settle()
    for future in (first, second):
        with pytest.raises(StoreFull, match="the disk is full"):
            await future
    assert told == []
    assert world.dispatch.sent == []
    assert world.dispatch.resets == 1
    # The state is what the disk has: the older task, pending again.
    assert [task.name for task in world.engine.taskset.tasks.values()] == ["kept"]
    assert world.engine.taskset.tasks[kept.task_id].status is TaskStatus.PENDING
    assert len(world.dispatch.served) == served + 1
    assert world.dispatch.served[-1] is world.engine.taskset
    assert len(world.engine.ready) == 1


async def test_after_a_refused_write_things_go_on(world: EngineWorld):
    world.store.refuse()
    world.engine.create(make_new())
    with pytest.raises(StoreFull):
        await world.engine.durable()
    world.dispatch.places[SHEPHERD] = 1
    task = await world.created()
    assert world.dispatch.sent == [(task.task_id, 1, SHEPHERD)]
    assert len(list(world.store.load_unfinished())) == 1


async def test_a_result_that_was_refused_by_the_disk_can_come_again(world: EngineWorld):
    task = await world.live()
    world.store.refuse()
    assert world.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    assert world.engine.is_unended(task.task_id)
    assert world.engine.ended_task(task.task_id) is None
    assert world.audience.ended_tasks == []
    assert world.engine.attempt_ended(SHEPHERD, make_result(task))
    await settle()
    assert [ended.task_id for ended in world.audience.ended_tasks] == [task.task_id]


async def test_idempotency_keys_of_a_refused_write_are_free_again(world: EngineWorld):
    world.store.refuse()
    world.engine.create(make_new(idempotency_key="k"))
    with pytest.raises(StoreFull):
        await world.engine.durable()
    assert world.engine.taskset.by_key == {}


async def test_a_store_that_refuses_on_the_spot_is_the_same(world: EngineWorld):
    world.store.write_raises = StoreError("a task or event can't be kept")
    world.engine.create(make_new())
    with pytest.raises(StoreError, match="can't be kept"):
        await world.engine.durable()
    await world.created()


async def test_while_the_state_cant_be_read_anew_nothing_is_taken(world: EngineWorld):
    kept = await world.created(name="kept")
    world.store.refuse()
    world.store.load_raises = StoreDamaged("the file can't be read")
    world.engine.create(make_new(name="lost"))
    with pytest.raises(StoreFull):
        await world.engine.durable()
    assert world.dispatch.resets == 0
    # The next request finds the disk well again: it is refused once more, for it was decided on a state that isn't so.
    world.engine.create(make_new(name="lost too"))
    with pytest.raises(StoreFull):
        await world.engine.durable()
    assert world.dispatch.resets == 1
    assert list(world.engine.taskset.tasks) == [kept.task_id]
    await world.created()


async def test_a_domain_that_cant_be_added_creates_nothing(world: EngineWorld):
    world.store.add_domain_raises = StoreFull("the disk is full")
    with pytest.raises(StoreFull):
        world.engine.create(make_new(domain="new"))
    await world.engine.durable()
    assert len(world.engine.taskset) == 0
    assert (await world.created(domain="new")).domain == "new"
    assert "new" in world.engine.domains()


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────


async def test_stop_waits_for_what_was_decided(world: EngineWorld):
    world.store.hold()
    first = world.engine.create(make_new())
    await settle()
    second = world.engine.create(make_new())
    stopping = asyncio.ensure_future(world.engine.stop())
    await settle()
    assert not stopping.done()
    world.store.release()
    await stopping
    assert {task.task_id for task in world.store.load_unfinished()} == {first.task_id, second.task_id}


async def test_stop_gives_out_nothing_more(world: EngineWorld):
    await world.created()
    world.dispatch.places[SHEPHERD] = 1
    await world.engine.stop()
    assert world.dispatch.sent == []


async def test_ids_rise_in_order_of_creation(world: EngineWorld):
    ids = [world.engine.create(make_new()).task_id for _ in range(200)]
    await world.engine.durable()
    assert ids == sorted(set(ids))
    assert [task.task_id for task in world.store.load_unfinished()] == ids
