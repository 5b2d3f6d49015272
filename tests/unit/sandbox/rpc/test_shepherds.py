"""The stream of a shepherd over a real socket: ours, and Azolla's which knows none of the extensions."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from sandbox.model.status import TaskStatus
from shepherd.wire import messages as wire
from tests.support.factories import OTHER_SHEPHERD, SHEPHERD
from tests.unit.sandbox.rpc.peers import ScriptedShepherd, failed, succeeded


async def turns(condition, what: str) -> None:
    """Let both sides go on until it is so."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError(what)


# ── coming and going ─────────────────────────────────────────────────────────────────────────────────


async def test_headers_come_before_anything_is_said(served):
    peer = ScriptedShepherd(served.channel)
    served.shepherds.append(peer)
    await peer.headers()
    assert served.core.shepherds.known == {}


async def test_hello_is_answered_with_a_welcome(served):
    peer = await served.shepherd(epoch=7, offers=[wire.TaskOffer(name="render")])
    assert (peer.welcome.epoch, peer.welcome.heartbeat_ms, peer.welcome.lease_ms) == (7, 2000, 10_000)
    assert (peer.welcome.version, list(peer.welcome.refused)) == ("test", [])
    known = served.core.shepherds.known[SHEPHERD]
    assert (known.info.host, known.info.window, known.connection is not None) == ("here", 4, True)
    assert served.core.shepherds.offered() == {"render"}


async def test_what_comes_before_hello_is_dropped(served):
    peer = ScriptedShepherd(served.channel)
    served.shepherds.append(peer)
    await peer.say(status=wire.Status())
    await peer.hello()
    assert peer.welcome.epoch == 1


async def test_a_stream_without_hello_ends_with_an_error(served):
    peer = ScriptedShepherd(served.channel)
    await peer.headers()
    await peer.stream.done_writing()
    assert await peer.status() == (grpc.StatusCode.INVALID_ARGUMENT, "the stream ended before a Hello")


@pytest.mark.parametrize(
    "hello",
    [
        {"shepherd_uuid": "me"},
        {"offers": [wire.TaskOffer(name="render", retry_policy=wire.RetryPolicy(version=9))]},
    ],
)
async def test_a_hello_that_cant_be_is_refused_and_leaves_nothing(served, hello):
    peer = ScriptedShepherd(served.channel)
    await peer.headers()
    given = {"shepherd_uuid": SHEPHERD, "protocol_version": 1, "max_concurrency": 1, "all_domains": True}
    await peer.say(hello=wire.Hello(**(given | hello)))
    code, _ = await peer.status()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert served.core.shepherds.connected == {}


async def test_an_orderly_end_is_answered_with_an_error_status(served):
    peer = await served.shepherd()
    await peer.stream.done_writing()
    assert await peer.status() == (grpc.StatusCode.UNAVAILABLE, "the shepherd ended the stream")
    assert served.core.shepherds.connected == {}


async def test_a_connection_that_breaks_is_noticed(served):
    peer = await served.shepherd()
    peer.cancel()
    await turns(lambda: not served.core.shepherds.connected, "the shepherd is still there")
    assert served.core.shepherds.known[SHEPHERD].connection is None


async def test_an_earlier_start_is_refused(served):
    await served.shepherd(epoch=5)
    peer = ScriptedShepherd(served.channel)
    await peer.headers()
    await peer.say(hello=wire.Hello(shepherd_uuid=SHEPHERD, protocol_version=1, epoch=4))
    code, details = await peer.status()
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "epoch 4 came after epoch 5" in details
    assert SHEPHERD in served.core.shepherds.connected


async def test_the_same_shepherd_again_takes_its_old_place(served):
    first = await served.shepherd()
    created = await served.clients.create()
    (task,) = await first.next_tasks()
    second = await served.shepherd(standing=[wire.AttemptKey(task_id=created, attempt=1)])
    assert await first.status() == (grpc.StatusCode.UNAVAILABLE, "the same shepherd has connected again")
    assert list(second.welcome.refused) == []
    await second.ends(1, succeeded(task, 5))
    assert (await served.clients.wait(created, 5000)).success.result.int_value == 5
    assert list(served.core.shepherds.connected) == [SHEPHERD]


async def test_a_restarted_shepherd_without_its_attempts_gets_them_anew(served):
    first = await served.shepherd()
    created = await served.clients.create()
    await first.next_tasks()
    first.cancel()
    await turns(lambda: not served.core.shepherds.connected, "the shepherd is still there")
    second = await served.shepherd(epoch=2, standing=[wire.AttemptKey(task_id=created, attempt=9)])
    assert [(key.task_id, key.attempt) for key in second.welcome.refused] == [(created, 9)]
    (task,) = await second.next_tasks()
    assert (task.task_id, task.attempt) == (created, 2)


async def test_when_the_state_is_read_anew_every_stream_ends_with_an_error(served):
    peer = await served.shepherd()
    served.core.store.refuse()
    with pytest.raises(grpc.aio.AioRpcError):
        await served.clients.create()
    assert await peer.status() == (grpc.StatusCode.UNAVAILABLE, "the orchestrator reads its state anew")


# ── work ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_tasks_travel_in_batches_up_to_the_window(served):
    ids = [await served.clients.create() for _ in range(6)]
    peer = await served.shepherd()
    tasks = await peer.next_tasks()
    assert [task.task_id for task in tasks] == ids[:4]
    await peer.ends(1, succeeded(tasks[0]))
    message = await peer.hears()
    rest = []
    while not rest:  # the acknowledgement and the next task may travel in either order
        rest = list(message.tasks.tasks)
        if not rest:
            assert message.acked.sequence == 1
            message = await peer.hears()
    assert [task.task_id for task in rest] == [ids[4]]


async def test_results_are_acknowledged_when_they_are_on_disk_and_not_before(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    store = served.core.store
    store.hold()
    await peer.ends(3, succeeded(task))
    reading = asyncio.ensure_future(peer.hears())
    await turns(lambda: store.stats().waiting_groups == 1, "the result has not come")
    await peer.say(status=wire.Status())
    for _ in range(200):
        await asyncio.sleep(0)
    assert not reading.done()
    store.release()
    assert (await reading).acked.sequence == 3
    assert (await served.core.tasks.get(created)).status is TaskStatus.SUCCEEDED


async def test_results_that_came_twice_are_acknowledged_too(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    for sequence in (1, 2):
        await peer.ends(sequence, succeeded(task))
        assert (await peer.hears()).acked.sequence == sequence
    words = [event.type for event in await served.core.tasks.events(created)]
    assert len(words) == len(set(words))


async def test_an_attempt_on_its_way_says_so(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    await peer.say(
        started=wire.AttemptsStarted(
            started=[wire.AttemptStarted(task_id=created, attempt=task.attempt, started_ms=1234)]
        )
    )
    live = served.core.engine.taskset.tasks[created]
    await turns(lambda: live.status is TaskStatus.RUNNING, "the start has not come")
    assert live.started_ms == 1234
    beat = wire.TaskHeartbeat(task_id=created, attempt=1, time_ms=5, note="3 of 9")
    await peer.say(heartbeats=wire.TaskHeartbeats(heartbeats=[beat]))
    await turns(lambda: served.core.tasks.progress(created) is not None, "the heartbeat has not come")
    assert served.core.tasks.progress(created).note == "3 of 9"
    opened = wire.LogOpened(task_id=created, attempt=1, sink="local", locator="/logs/x.log")
    await peer.say(logs=wire.LogsOpened(opened=[opened]))
    await peer.ends(1, succeeded(task))
    assert (await peer.hears()).acked.sequence == 1
    (log,) = await served.core.store.reader.logs(created)
    assert (log.attempt, log.sink, log.locator) == (1, "local", "/logs/x.log")


async def test_cancel_is_told(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    await served.core.tasks.cancel(created, "enough")
    cancel = (await peer.hears()).cancel
    assert (cancel.task_id, cancel.attempt, cancel.reason) == (created, 1, "enough")
    await peer.ends(1, failed(task, "Cancelled", outcome=4))
    answer = await served.clients.wait(created, 5000)
    assert answer.error.type == "Cancelled"


async def test_one_that_drains_is_given_nothing_more(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    await peer.ends(1, failed(task, "HandedBack", outcome=6))
    assert (await peer.hears()).acked.sequence == 1
    live = served.core.engine.taskset.tasks[created]
    assert (live.status, live.uncounted) == (TaskStatus.PENDING, 1)
    other = await served.shepherd(shepherd_uuid=OTHER_SHEPHERD)
    (again,) = await other.next_tasks()
    assert (again.task_id, again.attempt) == (created, 2)


async def test_offers_that_change_bring_their_policies(served):
    peer = await served.shepherd()
    never = wire.RetryPolicy(version=1, retry={"include_errors": ["KeyError"]}, wait={"fixed": {}})
    offer = wire.TaskOffer(name="render", retry_policy=never)
    await peer.say(offers=wire.Offers(offers=[offer]))
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    await peer.ends(1, failed(task, "KeyError"))
    again = (await peer.hears(), await peer.hears())
    (second,) = [task for message in again for task in message.tasks.tasks]
    assert (second.task_id, second.attempt) == (created, 2)


async def test_an_outcome_of_a_later_version_ends_no_stream(served):
    peer = await served.shepherd()
    created = await served.clients.create()
    (task,) = await peer.next_tasks()
    await peer.ends(1, failed(task, "KeyError", outcome=99))
    assert (await served.clients.wait(created, 5000)).error.type == "KeyError"


# ── Azolla's ─────────────────────────────────────────────────────────────────────────────────────────


async def test_an_azolla_shepherd_is_served_without_extensions(served):
    peer = await served.shepherd(azolla=True)
    created = await served.clients.create(args="[1]")
    message = await peer.hears()
    assert message.WhichOneof("kind") == "task"
    assert (message.task.task_id, message.task.name, message.task.args) == (created, "render", "[1]")
    await peer.say(ack={"task_id": created})
    await peer.say(task_result=succeeded(message.task, 9, azolla=True))
    assert (await served.clients.wait(created, 5000)).success.result.int_value == 9
    assert served.core.shepherds.known[SHEPHERD].sent == {}


async def test_an_azolla_shepherd_gets_no_more_than_its_places(served):
    ids = [await served.clients.create() for _ in range(3)]
    peer = await served.shepherd(azolla=True, max_concurrency=2)
    first, second = (await peer.next_tasks())[0], (await peer.next_tasks())[0]
    assert [first.task_id, second.task_id] == ids[:2]
    await peer.say(task_result=succeeded(second, azolla=True))
    assert (await peer.next_tasks())[0].task_id == ids[2]


async def test_an_azolla_shepherd_retries_with_its_own_numbers_unknown(served):
    peer = await served.shepherd(azolla=True)
    policy = wire.RetryPolicy(version=1, wait={"fixed": {}}, retry={"include_errors": ["TaskError"]})
    created = await served.clients.create(retry_policy=policy)
    (task,) = await peer.next_tasks()
    await peer.say(task_result=failed(task, azolla=True))
    (again,) = await peer.next_tasks()
    assert (again.task_id, again.attempt) == (created, 2)
    await peer.say(task_result=succeeded(again, azolla=True))
    assert (await served.clients.wait(created, 5000)).success.result.int_value == 7
    assert (await served.core.tasks.get(created)).attempt == 2


async def test_a_result_after_an_azolla_shepherds_reconnect_counts(served):
    first = await served.shepherd(azolla=True)
    created = await served.clients.create()
    (task,) = await first.next_tasks()
    first.cancel()
    await turns(lambda: not served.core.shepherds.connected, "the shepherd is still there")
    second = await served.shepherd(azolla=True)
    await second.say(task_result=succeeded(task, azolla=True))
    assert (await served.clients.wait(created, 5000)).success.result.int_value == 7


async def test_a_result_id_that_is_no_uuid_ends_the_stream(served):
    peer = await served.shepherd(azolla=True)
    await peer.say(task_result=wire.TaskResult(task_id="x"))
    code, details = await peer.status()
    assert code is grpc.StatusCode.UNAVAILABLE
    assert details == "The task id is no UUID (x)"
