"""A small orchestrator for tests of the shepherd: speaks `ClusterService.Stream`, remembers all it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import grpc
import grpc.aio

from shepherd.wire.calls import CLUSTER_SERVICE
from shepherd.wire.messages import (
    AttemptKey,
    AttemptStarted,
    CancelAttempt,
    ClientMsg,
    Drain,
    Hello,
    LogOpened,
    ResultsAcked,
    ServerMsg,
    Status,
    Task,
    TaskBatch,
    TaskHeartbeat,
    TaskOffer,
    TaskResult,
    Welcome,
)

OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.so_reuseport", 0),
)


class FakeOrchestrator:
    """`async with FakeOrchestrator() as fake`. What it does is set before a shepherd connects."""

    def __init__(self) -> None:
        self.welcomes = True
        """False: it speaks plain Azolla."""
        self.acknowledges = True
        self.heartbeat_ms = 1_000
        self.refused: list[tuple[str, int]] = []
        self.refuses_with: tuple[grpc.StatusCode, str] | None = None
        self.hellos: list[Hello] = []
        self.statuses: list[Status] = []
        self.results: list[TaskResult] = []
        self.batches: list[int] = []
        """Sequence numbers of result batches, as they came."""
        self.started: list[AttemptStarted] = []
        self.logs: list[LogOpened] = []
        self.heartbeats: list[TaskHeartbeat] = []
        self.offers: list[TaskOffer] = []
        self.on_results: Callable[[list[TaskResult]], None] = lambda results: None
        self.port = 0
        self._server: grpc.aio.Server | None = None
        self._outgoing: asyncio.Queue[ServerMsg | None] = asyncio.Queue()
        self._news = asyncio.Condition()
        self.connections = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_listening()

    async def listen(self) -> None:
        """Also after `stop_listening`: on the same port again."""
        server = grpc.aio.server(options=OPTIONS)
        handler = grpc.stream_stream_rpc_method_handler(
            self._stream,
            request_deserializer=ClientMsg.FromString,
            response_serializer=ServerMsg.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(CLUSTER_SERVICE, {"Stream": handler}),))
        self.port = server.add_insecure_port(f"127.0.0.1:{self.port}")
        await server.start()
        self._server = server

    async def stop_listening(self) -> None:
        """As if the process had died: connections break, nothing answers."""
        if self._server is not None:
            await self._server.stop(0)
            self._server = None

    async def break_connection(self) -> None:
        """End the stream of the connected shepherd with an error."""
        await self._outgoing.put(None)

    async def send(self, message: ServerMsg) -> None:
        await self._outgoing.put(message)

    async def assign(self, *tasks: Task) -> None:
        """Send attempts as one batch."""
        await self.send(ServerMsg(tasks=TaskBatch(tasks=tasks)))

    async def cancel(self, task_id: str, attempt: int = 1) -> None:
        await self.send(ServerMsg(cancel=CancelAttempt(task_id=task_id, attempt=attempt, reason="a test wants it")))

    async def drain(self) -> None:
        await self.send(ServerMsg(drain=Drain(reason="a test wants it")))

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something is true that depends on what came in."""
        async with self._news:
            await self._news.wait_for(lambda: bool(holds()))

    async def result(self, task_id: str, attempt: int = 1) -> TaskResult:
        """The result of an attempt, when it comes."""

        def found() -> TaskResult | None:
            return next((each for each in self.results if (each.task_id, each.attempt) == (task_id, attempt)), None)

        await self.until(found)
        result = found()
        assert result is not None
        return result

    async def _stream(
        self, requests: AsyncIterator[ClientMsg], context: grpc.aio.ServicerContext[ClientMsg, ServerMsg]
    ) -> None:
        await context.send_initial_metadata(())
        if self.refuses_with is not None:
            await context.abort(*self.refuses_with)
        self.connections += 1
        self._outgoing = asyncio.Queue()
        reading = asyncio.ensure_future(self._read(requests, context))
        try:
            while True:
                message = await self._outgoing.get()
                if message is None:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "a test broke it")
                await context.write(message)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(
        self, requests: AsyncIterator[ClientMsg], context: grpc.aio.ServicerContext[ClientMsg, ServerMsg]
    ) -> None:
        async for message in requests:
            await self._take(message, context)
            async with self._news:
                self._news.notify_all()

    async def _take(self, message: ClientMsg, context: grpc.aio.ServicerContext[ClientMsg, ServerMsg]) -> None:
        kind = message.WhichOneof("kind")
        if kind == "results":
            self.batches.append(message.results.sequence)
            results = list(message.results.results)
            self.results += results
            if self.acknowledges:
                await self.send(ServerMsg(acked=ResultsAcked(sequence=message.results.sequence)))
            self.on_results(results)
        elif kind == "task_result":
            self.results.append(message.task_result)
        elif kind == "hello":
            self.hellos.append(message.hello)
            if self.welcomes:
                refused = [AttemptKey(task_id=task_id, attempt=attempt) for task_id, attempt in self.refused]
                await self.send(
                    ServerMsg(
                        welcome=Welcome(
                            epoch=message.hello.epoch, heartbeat_ms=self.heartbeat_ms, lease_ms=10_000, refused=refused
                        )
                    )
                )
        elif kind == "status":
            self.statuses.append(message.status)
        elif kind == "started":
            self.started += message.started.started
        elif kind == "logs":
            self.logs += message.logs.opened
        elif kind == "heartbeats":
            self.heartbeats += message.heartbeats.heartbeats
        elif kind == "offers":
            self.offers = list(message.offers.offers)
