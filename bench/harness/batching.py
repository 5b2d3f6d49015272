"""A client that creates tasks in batches and hears of their ends on a stream, over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import grpc.aio

from bench.harness.creators import connection
from shepherd.wire.calls import CLIENT_SERVICE, TASKS_SERVICE, path
from shepherd.wire.messages import (
    CreateTaskRequest,
    CreateTaskResponse,
    CreateTasksRequest,
    CreateTasksResponse,
    TaskEnded,
    TasksEnded,
    WaitForTaskRequest,
    WaitForTaskResponse,
    WatchTasksRequest,
)

BATCH = 1_000
_LARGE = [("grpc.max_send_message_length", 64 << 20), ("grpc.max_receive_message_length", 64 << 20)]


class BatchingClient:
    """Tasks of the benchmark over one connection."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._create_many: Any = channel.unary_unary(
            path(TASKS_SERVICE, "CreateTasks"),
            request_serializer=CreateTasksRequest.SerializeToString,
            response_deserializer=CreateTasksResponse.FromString,
        )
        self._create: Any = channel.unary_unary(
            path(CLIENT_SERVICE, "CreateTask"),
            request_serializer=CreateTaskRequest.SerializeToString,
            response_deserializer=CreateTaskResponse.FromString,
        )
        self._wait: Any = channel.unary_unary(
            path(CLIENT_SERVICE, "WaitForTask"),
            request_serializer=WaitForTaskRequest.SerializeToString,
            response_deserializer=WaitForTaskResponse.FromString,
        )
        self._watch: Any = channel.unary_stream(
            path(TASKS_SERVICE, "WatchTasks"),
            request_serializer=WatchTasksRequest.SerializeToString,
            response_deserializer=TasksEnded.FromString,
        )

    @classmethod
    @asynccontextmanager
    async def of(cls, target: str) -> AsyncIterator[Self]:
        """A client of the orchestrator at that address."""
        async with connection(target, _LARGE) as channel:
            yield cls(channel)

    async def create(self, requests: Sequence[CreateTaskRequest]) -> list[str]:
        """One batch. The ids, in order."""
        answer: CreateTasksResponse = await self._create_many(CreateTasksRequest(tasks=requests), wait_for_ready=True)
        return list(answer.task_ids)

    async def create_one(self, request: CreateTaskRequest) -> str:
        answer: CreateTaskResponse = await self._create(request, wait_for_ready=True)
        return answer.task_id

    async def wait(self, task_id: str) -> WaitForTaskResponse:
        """Until that task has ended, two minutes at most."""
        return await self._wait(WaitForTaskRequest(task_id=task_id, domain="default", timeout_ms=120_000))

    async def watch(self, task_ids: Sequence[str]) -> AsyncIterator[str]:
        """The ids as their tasks end. ValueError if one doesn't succeed: then nothing was measured."""
        async for ended in self.ends(task_ids):
            if ended.status != "succeeded":
                raise ValueError(f"task {ended.task_id} ended as {ended.status}")
            yield ended.task_id

    async def ends(self, task_ids: Sequence[str]) -> AsyncIterator[TaskEnded]:
        """The tasks as they end, however they end."""
        async for message in self._watch(WatchTasksRequest(task_ids=task_ids), wait_for_ready=True):
            for ended in message.ended:
                yield ended


def noop(*, queue: str = "", priority: int = 0) -> CreateTaskRequest:
    """The task that does nothing, at the resident tier."""
    made = CreateTaskRequest(name="noop", domain="default", args="[]", kwargs="{}", priority=priority)
    if queue:
        made.shepherd_group = queue
    return made
