"""The gRPC transport, against the orchestrator's own server around scripted services."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.api.rpc.client_service import ClientCalls, TasksCalls
from sandbox.api.rpc.server import RpcServer
from sandbox.client import AsyncClient, Client, Submission, TaskFailed
from sandbox.client.transports import grpc_messages
from sandbox.errors import InvalidInput, OrchestratorUnreachable, TaskNotFound
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from tests.unit.sandbox.api.fake_services import FakeTasks, task_id


class BatchingTasks(FakeTasks):
    async def wait_in_batches(self, ids: list[str], timeout_s: float | None) -> AsyncIterator[list[EndedTask]]:
        async for ended in self.wait_each(ids, timeout_s):
            yield [ended]

    async def create_many(self, news: list[Any], *, checked_name: bool) -> list[str]:
        if any(new.name == "refused" for new in news):
            raise InvalidInput("Not this one", subject="refused", why="because", hint="take another")
        return await super().create_many(news, checked_name=checked_name)


class _NoCluster:
    async def stream(self, *_: object) -> None:
        raise NotImplementedError


@pytest.fixture
def tasks() -> BatchingTasks:
    return BatchingTasks()


@pytest.fixture
def target(tasks: BatchingTasks) -> Iterator[str]:
    """`host:port` of a server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[RpcServer, int]:
        anyhow: Any = tasks
        server = RpcServer(ClientCalls(anyhow), TasksCalls(anyhow), _NoCluster())  # type: ignore[arg-type]
        return server, await server.start("127.0.0.1:0")

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_create_wait_and_watch(target: str, tasks: BatchingTasks) -> None:
    with Client("http://127.0.0.1:1", transport="grpc", grpc_target=target) as client:
        task = client.submit("add", [1, 2**70], {"a": 1}, labels={"l": "m"}, priority=-2, key="k", timeout=1.5)
        assert task.result() == 1 + 2**70
        [new] = tasks.created
        assert (new.args, new.kwargs, new.labels) == (f"[1,{2**70}]", '{"a":1}', {"l": "m"})
        assert (new.priority, new.idempotency_key, new.timeout_ms) == (-2, "k", 1500)
        handles = client.submit_many([Submission(name="add", args=[n]) for n in range(5)], batch=2)
        assert tasks.batches == [1, 2, 2, 1]
        assert {ended.task_id: ended.result for ended in client.as_completed(handles)} == {
            task_id(n + 2): str(n) for n in range(5)
        }
        with pytest.raises(TaskFailed, match="ValueError: no good"):
            client.submit("fail").result()
        with pytest.raises(TimeoutError):
            client.submit("later").wait(0.05)


def test_errors_come_back_as_themselves(target: str) -> None:
    with Client("http://127.0.0.1:1", transport="grpc", grpc_target=target) as client:
        with pytest.raises(InvalidInput) as caught:
            client.submit_many([Submission(name="refused")])
        assert caught.value.hint == "take another"
        assert "take another" not in caught.value.what
        with pytest.raises(TaskNotFound):
            client.wait(task_id(77))


def test_nobody_listens() -> None:
    client = Client("http://127.0.0.1:1", transport="grpc", grpc_target="127.0.0.1:1")
    with client, pytest.raises(OrchestratorUnreachable):
        client.submit("add")


async def test_the_async_client_over_grpc(target: str, tasks: BatchingTasks) -> None:
    async with AsyncClient("http://127.0.0.1:1", transport="grpc", grpc_target=target) as client:
        assert await (await client.submit("add", [1, 2])).result() == 3
        many = await client.submit_many([Submission(name="later")] * 2)
        tasks.end(many[0].task_id, TaskStatus.CANCELLED)
        tasks.end(many[1].task_id)
        ended = await client.wait_all(many)
        assert [ended[one.task_id].status.word for one in many] == ["cancelled", "succeeded"]
        with pytest.raises(InvalidInput):
            await client.submit("refused")


@pytest.mark.parametrize(
    "policy",
    [
        RetryPolicy(),
        RetryPolicy(max_attempts=None, max_elapsed=9.5, strategy=WaitStrategy.FIXED, delay=0, include_errors=()),
        RetryPolicy(strategy=WaitStrategy.EXPONENTIAL, multiplier=3, max_delay=5, exclude_errors=("A", "B")),
    ],
)
def test_policies_arrive_as_they_were_meant(policy: RetryPolicy) -> None:
    from sandbox.api.rpc import convert

    request = grpc_messages.create_request(Submission(name="add", retry_policy=policy), datetime.now(UTC))
    assert convert.new_task(type(request).FromString(request.SerializeToString())).retry_policy == policy
