"""The other side of the wire: Azolla's client calls, and a shepherd that does what a test says."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio

from shepherd.wire import calls
from shepherd.wire import messages as wire
from tests.support.factories import SHEPHERD

PATIENCE_S = 10.0
"""Only a bug makes a test wait for so long."""


class Clients:
    """The calls of clients, by their names."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(self, method: str, request: Any, answer: Any, service: str = calls.CLIENT_SERVICE) -> Any:
        """Any unary call."""
        unary = self._channel.unary_unary(
            calls.path(service, method),
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return await unary(request, timeout=PATIENCE_S)

    async def create(self, **fields: Any) -> str:
        given = {"name": "render", "domain": "default", "args": "[]", "kwargs": "{}"}
        request = wire.CreateTaskRequest(**(given | fields))
        answer = await self.call("CreateTask", request, wire.CreateTaskResponse)
        return answer.task_id

    async def wait(self, task_id: str, timeout_ms: int | None = 0, domain: str = "default") -> Any:
        request = wire.WaitForTaskRequest(task_id=task_id, domain=domain)
        if timeout_ms is not None:
            request.timeout_ms = timeout_ms
        return await self.call("WaitForTask", request, wire.WaitForTaskResponse)

    def watch(self, task_ids: list[str]) -> Any:
        stream = self._channel.unary_stream(
            calls.path(calls.TASKS_SERVICE, "WatchTasks"),
            request_serializer=wire.WatchTasksRequest.SerializeToString,
            response_deserializer=wire.TasksEnded.FromString,
        )
        return stream(wire.WatchTasksRequest(task_ids=task_ids), timeout=PATIENCE_S)


class ScriptedShepherd:
    """One stream of a shepherd."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stream = channel.stream_stream(
            calls.CLUSTER_STREAM,
            request_serializer=wire.ClientMsg.SerializeToString,
            response_deserializer=wire.ServerMsg.FromString,
        )(timeout=PATIENCE_S)
        self.welcome: Any = None

    async def hello(self, *, azolla: bool = False, **fields: Any) -> None:
        """Wait for the headers, as Azolla's shepherd does, then say hello; ours waits for its welcome."""
        await self.headers()
        given: dict[str, Any] = {"shepherd_uuid": SHEPHERD, "max_concurrency": 4}
        if azolla:
            given |= {"domain": "default", "shepherd_group": "default"}
        else:
            given |= {"protocol_version": 1, "epoch": 1, "window": 4, "all_domains": True, "host": "here"}
        await self.say(hello=wire.Hello(**(given | fields)))
        if azolla:
            await self.say(status=wire.Status(current_load=0, available_capacity=4))
        else:
            self.welcome = (await self.hears()).welcome

    async def headers(self) -> None:
        """Returns as soon as the server has sent its headers, before anything was said."""
        await asyncio.wait_for(self.stream.initial_metadata(), PATIENCE_S)

    async def say(self, **kind: Any) -> None:
        await self.stream.write(wire.ClientMsg(**kind))

    async def hears(self) -> Any:
        """The next message; AssertionError with the status if the stream has ended."""
        message = await asyncio.wait_for(self.stream.read(), PATIENCE_S)
        assert message is not grpc.aio.EOF, await self.stream.details()
        return message

    async def next_tasks(self) -> list[Any]:
        message = await self.hears()
        if message.WhichOneof("kind") == "task":
            return [message.task]
        assert message.WhichOneof("kind") == "tasks", message
        return list(message.tasks.tasks)

    async def ends(self, sequence: int, *results: Any) -> None:
        """Report results, as ours does."""
        await self.say(results=wire.AttemptResults(sequence=sequence, results=results))

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """How the stream has ended; what came before that is dropped."""
        try:
            while await asyncio.wait_for(self.stream.read(), PATIENCE_S) is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError:
            pass  # the status is asked for below
        return await self.stream.code(), await self.stream.details()

    def cancel(self) -> None:
        self.stream.cancel()


def succeeded(task: Any, value: int = 7, *, azolla: bool = False) -> Any:
    """The result of an attempt that went well."""
    result = wire.TaskResult(task_id=task.task_id, success=wire.SuccessResult(result=wire.AnyValue(int_value=value)))
    if not azolla:
        result.attempt = task.attempt
        result.report.outcome = wire.AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED
    return result


def failed(task: Any, kind: str = "KeyError", outcome: int = 2, *, azolla: bool = False) -> Any:
    """The result of one that didn't."""
    result = wire.TaskResult(task_id=task.task_id, error=wire.ErrorResult(type=kind, message="no", retriable=True))
    if not azolla:
        result.attempt = task.attempt
        result.report.outcome = outcome
    return result
