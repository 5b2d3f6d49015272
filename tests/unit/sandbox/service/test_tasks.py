"""Create, wait, cancel and look: what clients ask for, over an engine whose store and clock the test moves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.errors import (
    AmbiguousId,
    BadArguments,
    IdempotencyConflict,
    InvalidInput,
    StoreFull,
    TaskNotFound,
    UnknownDomain,
    UnknownTaskName,
)
from sandbox.model.event import EventType
from sandbox.model.status import TaskStatus
from sandbox.service.creation import MAX_BATCH
from sandbox.store.contract import TaskFilter
from tests.support.core import CoreWorld
from tests.support.factories import (
    SHEPHERD,
    make_azolla_info,
    make_connection,
    make_failure,
    make_info,
    make_new,
    make_result,
)
from tests.support.manual_clock import settle

NOBODY = "00000000-0000-4000-8000-000000000099"


def shepherd_comes(core: CoreWorld, **changes: Any) -> None:
    core.reception.welcome(make_connection(make_info(**changes)))


async def create(core: CoreWorld, **changes: Any) -> str:
    return await core.tasks.create(make_new(**changes), checked_name=True)


async def run(core: CoreWorld, task: str, **changes: Any) -> None:
    assert core.engine.attempt_ended(SHEPHERD, make_result(task, **changes))


# ── create ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_creation_is_answered_when_it_is_on_disk(core):
    core.store.hold()
    creating = asyncio.ensure_future(create(core))
    await settle()
    assert not creating.done()
    core.store.release()
    record = await core.tasks.get(await creating)
    assert (record.name, record.status) == ("render", TaskStatus.PENDING)


async def test_a_creation_that_the_disk_refuses_is_told(core):
    core.store.refuse()
    with pytest.raises(StoreFull):
        await create(core)
    assert await core.tasks.list(TaskFilter()) == type(await core.tasks.list(TaskFilter()))([], None)


async def test_nothing_is_created_of_bad_input(core):
    with pytest.raises(BadArguments):
        await create(core, args="{}")
    with pytest.raises(UnknownTaskName):
        await create(core, name="rendr")
    with pytest.raises(UnknownDomain) as caught:
        await create(core, domain="nowhere")
    assert caught.value.why == "known here: default"
    assert len(core.engine.taskset) == 0


async def test_azollas_clients_may_name_what_nobody_knows_yet(core):
    created = await core.tasks.create(make_new(name="later", domain="new"), checked_name=False)
    assert (await core.tasks.get(created)).domain == "new"
    assert await create(core, domain="new")  # in use, so it is known now
    assert core.tasks.domains() == ["default", "new"]


async def test_names_are_those_of_folders_and_shepherds(core):
    shepherd_comes(core)
    core.shepherds.offer(SHEPHERD, {"from a shepherd": None})
    assert await create(core, name="from a shepherd")
    assert await create(core, name="render")
    core.reception.welcome(make_connection(make_azolla_info("00000000-0000-4000-8000-0000000000cc")))
    assert await create(core, name="who knows")


async def test_the_same_key_is_the_same_task(core):
    first = await create(core, idempotency_key="k", args="[1]")
    assert await create(core, idempotency_key="k", args="[1]") == first
    assert await create(core, idempotency_key="other", args="[1]") != first
    assert len(core.engine.taskset) == 2


async def test_the_same_key_at_the_same_time_is_the_same_task(core):
    core.store.hold()
    both = asyncio.gather(*(create(core, idempotency_key="k") for _ in range(2)))
    await settle()
    core.store.release()
    one, other = await both
    assert one == other
    assert len(core.engine.taskset) == 1


async def test_a_second_creation_isnt_answered_before_the_first_is_on_disk(core):
    core.store.hold()
    first = asyncio.ensure_future(create(core, idempotency_key="k"))
    await settle()
    second = asyncio.ensure_future(create(core, idempotency_key="k"))
    await settle()
    assert not second.done()
    core.store.refuse()
    for creating in (first, second):
        with pytest.raises(StoreFull):
            await creating


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("changes", [{"name": "crop"}, {"args": "[2]"}, {"kwargs": '{"a":1}'}])
async def test_the_same_key_for_something_else_is_refused(core, ended, changes):
    core.tasks._creation._definitions = type(core.tasks._definitions)("render", "crop")
    if ended:
        shepherd_comes(core)
    first = await create(core, idempotency_key="k", args="[1]")
    if ended:
        await run(core, first)
        await settle()
    with pytest.raises(IdempotencyConflict) as caught:
        await create(core, **{"idempotency_key": "k", "args": "[1]", **changes})
    assert caught.value.subject == "k"
    assert caught.value.why == f"{first} was created with it, with another name or input"


async def test_keys_belong_to_a_domain(core):
    first = await create(core, idempotency_key="k")
    other = await core.tasks.create(make_new(idempotency_key="k", domain="other"), checked_name=False)
    assert first != other


async def test_a_key_holds_over_a_restart(core):
    first = await create(core, idempotency_key="k")
    after = await CoreWorld(core.store, core.clock).start()
    assert await create(after, idempotency_key="k") == first


# ── create many ──────────────────────────────────────────────────────────────────────────────────────


async def test_many_are_one_commit_in_their_order(core):
    groups = len(core.store.groups)
    ids = await core.tasks.create_many([make_new(args=f"[{n}]") for n in range(100)], checked_name=True)
    assert len(core.store.groups) == groups + 1
    assert [core.engine.taskset.tasks[each].args for each in ids] == [f"[{n}]" for n in range(100)]
    assert await core.tasks.create_many([], checked_name=True) == []


async def test_too_many_at_once(core):
    with pytest.raises(InvalidInput) as caught:
        await core.tasks.create_many([make_new()] * (MAX_BATCH + 1), checked_name=True)
    assert (caught.value.subject, caught.value.hint) == ("10001", "send at most 10,000 a batch")


@pytest.mark.parametrize(
    ("bad", "subject"),
    [
        ({"args": "{}"}, "tasks[1]: {}"),
        ({"name": ""}, "tasks[1]"),
        ({"name": "rendr"}, "tasks[1]: rendr"),
        ({"domain": "nowhere"}, "tasks[1]: nowhere"),
    ],
)
async def test_one_bad_one_and_none_is_created(core, bad, subject):
    with pytest.raises(InvalidInput) as caught:
        await core.tasks.create_many([make_new(), make_new(**bad), make_new()], checked_name=True)
    assert caught.value.subject == subject
    await core.engine.durable()
    assert len(core.engine.taskset) == 0


async def test_a_key_conflict_and_none_is_created(core):
    await create(core, idempotency_key="k", args="[1]")
    with pytest.raises(IdempotencyConflict):
        await core.tasks.create_many([make_new(), make_new(idempotency_key="k", args="[2]")], checked_name=True)
    await core.engine.durable()
    assert len(core.engine.taskset) == 1


async def test_a_key_for_two_things_in_one_batch_and_none_is_created(core):
    with pytest.raises(IdempotencyConflict) as caught:
        await core.tasks.create_many(
            [make_new(idempotency_key="k", args="[1]"), make_new(idempotency_key="k", args="[2]")], checked_name=True
        )
    assert "same batch" in caught.value.why
    assert len(core.engine.taskset) == 0


async def test_repeated_keys_in_a_batch_are_one_task(core):
    before = await create(core, idempotency_key="before")
    one, other, old = await core.tasks.create_many(
        [make_new(idempotency_key="k"), make_new(idempotency_key="k"), make_new(idempotency_key="before")],
        checked_name=True,
    )
    assert one == other
    assert old == before
    assert len(core.engine.taskset) == 2


async def test_a_new_domain_that_cant_be_added_and_none_is_created(core):
    core.store.add_domain_raises = StoreFull("the disk is full")
    with pytest.raises(StoreFull):
        await core.tasks.create_many([make_new(), make_new(domain="new")], checked_name=False)
    await core.engine.durable()
    assert len(core.engine.taskset) == 0


# ── wait ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_waiting_until_it_has_ended(core):
    shepherd_comes(core)
    created = await create(core)
    waiting = asyncio.ensure_future(core.tasks.wait(created, None))
    await settle()
    await run(core, created, result="7")
    ended = await waiting
    assert ended is not None
    assert (ended.status, ended.result) == (TaskStatus.SUCCEEDED, "7")
    assert len(core.waiters) == 0


async def test_no_end_is_told_before_it_is_on_disk(core):
    shepherd_comes(core)
    created = await create(core)
    core.store.hold()
    await run(core, created)
    waiting = asyncio.ensure_future(core.tasks.wait(created, None))
    await settle()
    assert not waiting.done()
    core.store.release()
    assert await waiting is not None


async def test_waiting_for_what_has_ended_already(core):
    shepherd_comes(core)
    created = await create(core)
    await run(core, created, result="7")
    await settle()
    for timeout_s in (0, 5, None):
        ended = await core.tasks.wait(created, timeout_s)
        assert ended is not None
        assert ended.result == "7"


async def test_waiting_for_what_memory_no_longer_has(core):
    shepherd_comes(core)
    created = await create(core)
    await run(core, created, result="7")
    await settle()
    core.engine.ended.clear()
    ended = await core.tasks.wait(created, 0)
    assert ended is not None
    assert ended.result == "7"


async def test_time_runs_out(core):
    created = await create(core)
    assert await core.tasks.wait(created, 0) is None
    waiting = asyncio.ensure_future(core.tasks.wait(created, 5.0))
    await settle()
    await core.pass_time(4.9)
    assert not waiting.done()
    await core.pass_time(0.2)
    assert await waiting is None
    assert len(core.waiters) == 0


async def test_one_who_gives_up_leaves_nothing_behind(core):
    created = await create(core)
    waiting = asyncio.ensure_future(core.tasks.wait(created, None))
    await settle()
    assert len(core.waiters) == 1
    waiting.cancel()
    await settle()
    assert len(core.waiters) == 0


@pytest.mark.parametrize("timeout_s", [0, 1, None])
async def test_waiting_for_nothing(core, timeout_s):
    with pytest.raises(TaskNotFound):
        await core.tasks.wait(NOBODY, timeout_s)


@pytest.mark.parametrize("state", ["unended", "ending", "ended", "on disk"])
async def test_the_domain_has_to_be_right(core, state):
    shepherd_comes(core)
    created = await create(core)
    if state == "ending":
        core.store.hold()
    if state != "unended":
        await run(core, created)
        await settle()
    if state == "on disk":
        core.engine.ended.clear()
    waiting = asyncio.ensure_future(core.tasks.wait(created, None, domain="other"))
    await settle()
    core.store.release()
    with pytest.raises(TaskNotFound, match="there is none in domain other"):
        await waiting


class SlowReader:
    """Looks at the disk, and is held up on its way back."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.go_on = asyncio.Event()
        self.looks = 0

    async def ended(self, task_id: str) -> Any:
        found = await self._reader.ended(task_id)
        self.looks += 1
        await self.go_on.wait()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


async def test_a_task_that_comes_back_while_the_disk_is_looked_at_is_waited_for(core):
    """Its end was refused by the disk in that very moment, so it is unended again."""
    shepherd_comes(core)
    created = await create(core)
    record = core.engine.taskset.tasks[created]
    core.tasks._waiting._reader = slow = SlowReader(core.store.reader)
    # As it is between a refused write and the state that is read anew.
    del core.engine.taskset.tasks[created]
    waiting = asyncio.ensure_future(core.tasks.wait(created, None))
    await settle()
    assert slow.looks == 1
    core.engine.taskset.tasks[created] = record
    slow.go_on.set()
    await settle()
    assert not waiting.done()
    await run(core, created)
    assert await waiting is not None


async def test_wait_each_gives_each_as_it_ends(core):
    shepherd_comes(core)
    one, two, three = [await create(core) for _ in range(3)]
    await run(core, three)
    await settle()
    seen: list[str] = []

    async def collect() -> None:
        async for ended in core.tasks.wait_each([one, two, three, one], None):
            seen.append(ended.task_id)  # noqa: PERF401 - looked at while it grows

    collecting = asyncio.ensure_future(collect())
    await settle()
    assert seen == [three]
    await run(core, two)
    await settle()
    assert seen == [three, two]
    await run(core, one)
    await collecting
    assert seen == [three, two, one]
    assert len(core.waiters) == 0


async def test_those_that_end_together_come_together(core):
    shepherd_comes(core)
    ids = await core.tasks.create_many([make_new() for _ in range(4)], checked_name=True)
    batches = core.tasks.wait_in_batches(ids, None)
    first = asyncio.ensure_future(anext(batches))
    await settle()
    core.store.hold()
    for each in ids[:3]:
        await run(core, each)
    await settle()
    core.store.release()
    assert [ended.task_id for ended in await first] == ids[:3]
    await run(core, ids[3])
    assert [ended.task_id for ended in await anext(batches)] == [ids[3]]
    with pytest.raises(StopAsyncIteration):
        await anext(batches)


async def test_wait_each_stops_when_the_time_is_over(core):
    shepherd_comes(core)
    one, two = [await create(core) for _ in range(2)]
    await run(core, one)
    await settle()
    seen: list[str] = []

    async def collect() -> None:
        async for ended in core.tasks.wait_each([one, two], 5):
            seen.append(ended.task_id)  # noqa: PERF401 - looked at while it grows

    collecting = asyncio.ensure_future(collect())
    await settle()
    await core.pass_time(5.1)
    await collecting
    assert seen == [one]
    assert len(core.waiters) == 0


async def test_wait_each_without_time_gives_what_has_ended(core):
    shepherd_comes(core)
    one, two = [await create(core) for _ in range(2)]
    await run(core, one)
    await settle()
    assert [ended.task_id async for ended in core.tasks.wait_each([one, two], 0)] == [one]


async def test_wait_each_for_one_that_isnt_there(core):
    created = await create(core)
    with pytest.raises(TaskNotFound):
        [ended async for ended in core.tasks.wait_each([created, NOBODY], 5)]
    assert len(core.waiters) == 0
    assert [ended async for ended in core.tasks.wait_each([], None)] == []


# ── cancel ───────────────────────────────────────────────────────────────────────────────────────────


async def test_cancel_tells_where_the_task_stands(core):
    pending = await create(core)
    assert await core.tasks.cancel(pending, "enough") is TaskStatus.CANCELLED
    assert (await core.tasks.get(pending)).status is TaskStatus.CANCELLED
    shepherd_comes(core)
    live = await create(core)
    assert await core.tasks.cancel(live) is TaskStatus.ASSIGNED
    await run(core, live)
    await settle()
    assert await core.tasks.cancel(live) is TaskStatus.SUCCEEDED
    with pytest.raises(TaskNotFound):
        await core.tasks.cancel(NOBODY)


async def test_cancel_where_nobody_can_be_asked_is_on_disk_when_it_is_answered(core):
    core.reception.welcome(make_connection(make_azolla_info()))
    created = await core.tasks.create(make_new(), checked_name=False)
    assert await core.tasks.cancel(created) is TaskStatus.CANCELLED
    assert (await core.tasks.get(created)).status is TaskStatus.CANCELLED


async def test_cancel_of_one_that_ends_at_that_moment(core):
    shepherd_comes(core)
    created = await create(core)
    core.store.hold()
    await run(core, created)
    cancelling = asyncio.ensure_future(core.tasks.cancel(created))
    await settle()
    core.store.release()
    assert await cancelling is TaskStatus.SUCCEEDED


# ── publish ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("metadata", "kept"), [("", "{}"), ('{"step": 3}', '{"step": 3}')])
async def test_a_published_fact_is_part_of_the_history(core, metadata, kept):
    created = await create(core)
    await core.tasks.publish(created, 42, metadata, domain="default")
    event = (await core.tasks.events(created))[-1]
    assert event.type == EventType.TASK_EVENT_PUBLISHED
    assert (event.metadata["published_type"], event.metadata["metadata"]) == (42, kept)


async def test_publishing_for_an_ended_task(core):
    created = await create(core)
    await core.tasks.cancel(created)
    await core.tasks.publish(created, 1, "{}")
    assert (await core.tasks.events(created))[-1].type == EventType.TASK_EVENT_PUBLISHED


async def test_what_cant_be_published(core):
    created = await create(core)
    with pytest.raises(TaskNotFound):
        await core.tasks.publish(NOBODY, 1, "{}")
    with pytest.raises(TaskNotFound):
        await core.tasks.publish(created, 1, "{}", domain="other")
    with pytest.raises(BadArguments, match="The metadata are not JSON"):
        await core.tasks.publish(created, 1, "{")
    with pytest.raises(BadArguments, match="The metadata are no JSON object"):
        await core.tasks.publish(created, 1, "[1]")


# ── look ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_ids_by_their_beginning(core):
    created = await create(core)
    assert await core.tasks.resolve(created) == created
    assert await core.tasks.resolve(f"  {created.upper()} ") == created
    assert await core.tasks.resolve(created.replace("-", "")) == created
    for length in (1, 8, 9, 20, 32, 33, 35):
        assert await core.tasks.resolve(created[:length]) == created
    assert await core.tasks.resolve(NOBODY) == NOBODY  # a whole id isn't looked up


async def test_a_beginning_of_several(core):
    ids = await core.tasks.create_many([make_new() for _ in range(7)], checked_name=True)
    with pytest.raises(AmbiguousId) as caught:
        await core.tasks.resolve(ids[0][:8])
    assert caught.value.why == ", ".join(sorted(ids)[:5]) + ", …"
    assert caught.value.hint == "type more of it"


@pytest.mark.parametrize("text", ["", "  ", "xyz", "render", "0" * 40, "g" * 36, "é"])
async def test_what_is_no_beginning_of_an_id(core, text):
    with pytest.raises(InvalidInput, match="This is no task id"):
        await core.tasks.resolve(text)


async def test_a_beginning_of_none(core):
    with pytest.raises(TaskNotFound):
        await core.tasks.resolve("ffff")


async def test_looking_at_what_isnt_there(core):
    for look in (core.tasks.get, core.tasks.events, core.tasks.why):
        with pytest.raises(TaskNotFound) as caught:
            await look(NOBODY)
        assert (caught.value.subject, caught.value.hint) == (NOBODY, "azolla-local ls shows the newest tasks")


async def test_why_asks_the_scheduler(core):
    created = await create(core)
    assert (await core.tasks.why(created)).sentence.endswith("No shepherd is connected.")
    shepherd_comes(core, window=1, max_concurrency=1)
    await settle()
    waiting = [await create(core) for _ in range(2)]
    assert (await core.tasks.why(waiting[1])).sentence.endswith("are taken; 1 task goes before it.")
    core.engine.attempt_ended(SHEPHERD, make_failure(created, error_type="KeyError", error_message="'x'"))
    await settle()
    assert (await core.tasks.why(created)).sentence.startswith("Attempt 1 failed with KeyError: 'x'.")


async def test_counts_lists_and_events(core):
    first = await create(core)
    await create(core)
    await core.tasks.cancel(first)
    assert await core.tasks.counts() == {TaskStatus.PENDING: 1, TaskStatus.CANCELLED: 1}
    page = await core.tasks.list(TaskFilter(statuses=[TaskStatus.CANCELLED]))
    assert [record.task_id for record in page.items] == [first]
    last = await core.tasks.last_seq()
    assert [event.seq for event in await core.tasks.events_after(last - 1, 10)] == [last]
    assert core.tasks.progress(first) is None
    assert [view.name for view in core.tasks.definitions()[0]] == ["render"]


async def test_news_come_round_at_the_start_and_with_every_commit(core):
    news = core.tasks.new_events()
    await anext(news)
    coming = asyncio.ensure_future(anext(news))
    await settle()
    assert not coming.done()
    await create(core)
    await coming
    await news.aclose()
    assert core.waiters._news == set()
