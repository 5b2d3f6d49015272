"""Azolla's client calls and ours over a real socket."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from sandbox.errors import StoreDamaged, StoreFull
from sandbox.model.status import TaskStatus
from shepherd.wire import calls
from shepherd.wire import messages as wire
from tests.unit.sandbox.rpc.peers import failed, succeeded

NOBODY = "00000000-0000-4000-8000-000000000099"
STATUS = wire.WaitForTaskStatus


async def refused(awaitable) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await awaitable
    return caught.value


async def test_create_and_wait(served):
    shepherd = await served.shepherd()
    created = await served.clients.create(args="[1]", kwargs='{"a":2}')
    waiting = asyncio.ensure_future(served.clients.wait(created, None))
    (task,) = await shepherd.next_tasks()
    assert (task.task_id, task.name, task.args, task.kwargs, task.attempt) == (created, "render", "[1]", '{"a":2}', 1)
    await shepherd.ends(1, succeeded(task, 42))
    answer = await waiting
    assert answer.status_code == STATUS.WAIT_FOR_TASK_STATUS_COMPLETED
    assert answer.success.result.int_value == 42
    again = await served.clients.wait(created.upper(), 0)  # any number of times, in any spelling
    assert again.success.result.int_value == 42


async def test_a_failure_is_completed_with_its_error(served):
    shepherd = await served.shepherd()
    created = await served.clients.create()
    (task,) = await shepherd.next_tasks()
    await shepherd.ends(1, failed(task))
    answer = await served.clients.wait(created, 5000)
    assert answer.status_code == STATUS.WAIT_FOR_TASK_STATUS_COMPLETED
    assert (answer.error.type, answer.error.message, answer.error.data, answer.error.retriable) == (
        "KeyError",
        "no",
        "{}",
        True,
    )


@pytest.mark.parametrize("timeout_ms", [0, 1])
async def test_a_wait_that_takes_too_long(served, timeout_ms):
    created = await served.clients.create()
    assert (await served.clients.wait(created, timeout_ms)).status_code == STATUS.WAIT_FOR_TASK_STATUS_TIMEOUT


@pytest.mark.parametrize(
    ("timeout_ms", "status"),
    [
        (0, STATUS.WAIT_FOR_TASK_STATUS_TIMEOUT),  # Azolla doesn't look in that case
        (1, STATUS.WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND),
        (None, STATUS.WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND),
    ],
)
async def test_a_wait_for_nothing(served, timeout_ms, status):
    assert (await served.clients.wait(NOBODY, timeout_ms)).status_code == status


async def test_a_wait_in_the_wrong_domain_finds_nothing_and_makes_none(served):
    created = await served.clients.create()
    answer = await served.clients.wait(created, 1, domain="defalt")
    assert answer.status_code == STATUS.WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND
    assert served.core.engine.domains() == ["default"]


async def test_a_wait_for_what_is_no_id(served):
    error = await refused(served.clients.wait("7", 0))
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "The task id is no UUID (7)")


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"kwargs": ""}, "The kwargs are not JSON: "),
        ({"kwargs": "[1]"}, "The kwargs have the wrong shape ([1]): this is an array. give a JSON object"),
        ({"args": "5"}, "The args have the wrong shape (5): this is a number. give a JSON array"),
        ({"name": ""}, "The name is empty"),
        ({"domain": ""}, "The domain is empty"),
        ({"flow_instance_id": "workflow-123"}, "The flow id is no UUID (workflow-123)"),
        ({"retry_policy": wire.RetryPolicy()}, "The retry policy has an unknown version (0). send version 1"),
        ({"name": "a\0b"}, "The name has characters that can't be shown"),
    ],
)
async def test_bad_input_is_told_and_nothing_is_created(served, fields, details):
    error = await refused(served.clients.create(**fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith(details)
    trailers = dict(error.trailing_metadata())
    assert trailers["azolla-code"].startswith("invalid-input")
    assert len(served.core.engine.taskset) == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (StoreFull("the disk is full", subject="azolla.db", hint="make room"), grpc.StatusCode.UNAVAILABLE),
        (StoreDamaged("the file is damaged"), grpc.StatusCode.DATA_LOSS),
    ],
)
async def test_a_disk_that_refuses_is_told(served, fault, code):
    served.core.store.refuse(fault)
    error = await refused(served.clients.create())
    assert error.code() is code
    assert error.details().startswith(fault.what)
    trailers = dict(error.trailing_metadata())
    assert (trailers["azolla-code"], trailers["azolla-hint-bin"]) == (fault.code, fault.hint.encode())
    assert await served.clients.create()  # and things go on


async def test_a_bug_in_one_call_is_an_internal_error_and_no_more(served):
    def bug(_):
        raise ZeroDivisionError

    served.core.engine.create, kept = bug, served.core.engine.create
    error = await refused(served.clients.create())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "ZeroDivisionError" not in error.details()
    served.core.engine.create = kept
    assert await served.clients.create()


async def test_the_same_key_over_the_wire(served):
    one = await served.clients.create(idempotency_key="k")
    assert await served.clients.create(idempotency_key="k") == one
    error = await refused(served.clients.create(idempotency_key="k", args="[1]"))
    assert error.code() is grpc.StatusCode.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("method", "request_", "answer"),
    [
        ("CreateFlow", wire.CreateFlowRequest(name="f"), wire.CreateFlowResponse),
        ("WaitForFlow", wire.WaitForFlowRequest(flow_id=NOBODY), wire.WaitForFlowResponse),
        ("PublishFlowEvent", wire.PublishFlowEventRequest(flow_instance_id=NOBODY), wire.PublishFlowEventResponse),
    ],
)
async def test_flows_are_refused_honestly(served, method, request_, answer):
    error = await refused(served.clients.call(method, request_, answer))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert error.details().startswith("Flows are not served by this version")


async def publish(served, task_id, metadata="{}", domain="default"):
    request = wire.PublishTaskEventRequest(task_instance_id=task_id, domain=domain, event_type=9, metadata=metadata)
    return await served.clients.call("PublishTaskEvent", request, wire.PublishTaskEventResponse)


async def test_publishing(served):
    created = await served.clients.create()
    assert (await publish(served, created, '{"a":1}')).success
    assert (await served.core.tasks.events(created))[-1].metadata["published_type"] == 9
    assert (await refused(publish(served, created, "{"))).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await refused(publish(served, NOBODY))).code() is grpc.StatusCode.NOT_FOUND
    assert (await refused(publish(served, "x"))).code() is grpc.StatusCode.INVALID_ARGUMENT


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────


async def create_many(served, *requests):
    return await served.clients.call(
        "CreateTasks", wire.CreateTasksRequest(tasks=requests), wire.CreateTasksResponse, calls.TASKS_SERVICE
    )


def plain(**fields):
    return wire.CreateTaskRequest(**({"name": "render", "domain": "default", "args": "[]", "kwargs": "{}"} | fields))


async def test_many_at_once_and_watch_them_end(served):
    shepherd = await served.shepherd()
    ids = list((await create_many(served, *(plain(args=f"[{n}]") for n in range(3)))).task_ids)
    watching = served.clients.watch(ids)
    tasks = await shepherd.next_tasks()
    assert [task.task_id for task in tasks] == ids
    await shepherd.ends(1, succeeded(tasks[0], 10), succeeded(tasks[1], 11), failed(tasks[2]))
    seen = {each.task_id: each async for batch in watching for each in batch.ended}
    assert [seen[each].status for each in ids] == ["succeeded", "succeeded", "failed"]
    assert seen[ids[1]].answer.success.result.int_value == 11
    assert seen[ids[2]].attempts == 1


async def test_all_or_none(served):
    error = await refused(create_many(served, plain(), plain(args="{}")))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tasks[1]: {}" in error.details()
    assert len(served.core.engine.taskset) == 0


@pytest.mark.parametrize(
    ("task_id", "code"), [(NOBODY, grpc.StatusCode.NOT_FOUND), ("x", grpc.StatusCode.INVALID_ARGUMENT)]
)
async def test_watching_nothing(served, task_id, code):
    error = await refused(served.clients.watch([task_id]).read())
    assert error.code() is code


async def test_a_client_that_hangs_up_waits_no_more(served):
    created = await served.clients.create()
    watching = served.clients.watch([created])
    reading = asyncio.ensure_future(watching.read())
    waiters = served.core.waiters
    while not len(waiters):
        await asyncio.sleep(0)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    while len(waiters):
        await asyncio.sleep(0)
    assert served.core.engine.taskset.tasks[created].status is TaskStatus.PENDING
