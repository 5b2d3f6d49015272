"""`azolla.orchestrator.ClusterService.Stream`: the conversation with one shepherd.

Traps of the contract that are minded here: headers go out before anything is said (Azolla's shepherd waits
for them), the stream is closed with an error status (an orderly end makes Azolla's shepherd come back
without any pause), and an Azolla shepherd tells no attempt number, so the one that it was sent last counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog

from sandbox.api.faults import sentence
from sandbox.api.rpc import convert
from sandbox.dispatch.connection import Connection, ToSend
from sandbox.dispatch.reception import Reception
from sandbox.dispatch.shepherds import Shepherds
from sandbox.errors import InvalidInput, NotAllowed, SandboxError
from sandbox.model.clock import Clock
from sandbox.model.event import LogOpened
from sandbox.model.status import AttemptOutcome
from sandbox.scheduler.commands import AttemptUnderWay, Progress
from sandbox.scheduler.engine import Engine
from shepherd.wire import messages as wire

_log = structlog.stdlib.get_logger("sandbox.rpc")

MAX_BATCH = 512
MAX_BATCH_BYTES = 4 * 1024 * 1024


class ClusterCalls:
    """Serves every shepherd's stream."""

    def __init__(
        self,
        engine: Engine,
        reception: Reception,
        shepherds: Shepherds,
        clock: Clock,
        *,
        heartbeat_s: float,
        lease_s: float,
        version: str,
    ) -> None:
        self._engine = engine
        self._reception = reception
        self._shepherds = shepherds
        self._clock = clock
        self._heartbeat_ms = round(heartbeat_s * 1000)
        self._lease_ms = round(lease_s * 1000)
        self._version = version

    async def stream(self, incoming: AsyncIterator[wire.ClientMsg], context: Any) -> None:
        """From the first header to the last status. Never returns in order: it ends by `context.abort`."""
        await context.send_initial_metadata(())
        hello = await self._hello(incoming)
        if hello is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the stream ended before a Hello")
            return
        wake = asyncio.Event()
        try:
            connection = Connection(convert.shepherd_info(hello), wake.set)
            offers = convert.offers(hello.offers)
            refused = self._reception.welcome(connection)
        except NotAllowed as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, sentence(error))
            return
        except InvalidInput as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, sentence(error))
            return
        info = connection.info
        self._shepherds.offer(info.shepherd_id, offers)
        why = "the stream ended"
        try:
            if info.speaks_extensions:
                await context.write(self._welcome(info.epoch, refused))
            why = await self._converse(connection, wake, incoming, context)
        except asyncio.CancelledError:
            why = "the connection was cut"
            raise
        finally:
            self._reception.goodbye(connection, why)
        await context.abort(grpc.StatusCode.UNAVAILABLE, why)

    async def _hello(self, incoming: AsyncIterator[wire.ClientMsg]) -> wire.Hello | None:
        async for message in incoming:
            if message.WhichOneof("kind") == "hello":
                return message.hello
            _log.warning("a message before Hello was dropped", kind=message.WhichOneof("kind"))
        return None

    def _welcome(self, epoch: int, refused: list[tuple[str, int]]) -> wire.ServerMsg:
        return wire.ServerMsg(
            welcome=wire.Welcome(
                epoch=epoch,
                heartbeat_ms=self._heartbeat_ms,
                lease_ms=self._lease_ms,
                version=self._version,
                refused=[wire.AttemptKey(task_id=task_id, attempt=attempt) for task_id, attempt in refused],
            )
        )

    async def _converse(
        self,
        connection: Connection,
        wake: asyncio.Event,
        incoming: AsyncIterator[wire.ClientMsg],
        context: Any,
    ) -> str:
        listening = asyncio.ensure_future(self._listen(connection, incoming))
        speaking = asyncio.ensure_future(self._speak(connection, wake, context))
        try:
            done, _ = await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for side in (listening, speaking):
                side.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)

    # ── what the shepherd says ───────────────────────────────────────────────────────────────────────

    async def _listen(self, connection: Connection, incoming: AsyncIterator[wire.ClientMsg]) -> str:
        try:
            async for message in incoming:
                self._shepherds.heard(connection.info.shepherd_id)
                self._heard(connection, message)
        except grpc.RpcError as error:
            return f"the connection broke: {error}"
        except SandboxError as error:
            return sentence(error)
        return "the shepherd ended the stream"

    def _heard(self, connection: Connection, message: wire.ClientMsg) -> None:
        shepherd_id = connection.info.shepherd_id
        engine = self._engine
        match message.WhichOneof("kind"):
            case "results":
                for result in message.results.results:
                    ended = convert.attempt_result(result, 0)
                    if ended.outcome is AttemptOutcome.HANDED_BACK:
                        connection.drains = True  # else it would get the same task again at once
                    engine.attempt_ended(shepherd_id, ended)
                sequence = message.results.sequence
                engine.after_commit(lambda: connection.send_acked(sequence))
                engine.places_freed()
            case "task_result":
                result = message.task_result
                task_id = convert.task_id(result.task_id)
                attempt = self._shepherds.known[shepherd_id].sent.pop(task_id, 0)
                engine.attempt_ended(shepherd_id, convert.attempt_result(result, attempt))
                engine.places_freed()
            case "started":
                for started in message.started.started:
                    engine.attempt_started(
                        shepherd_id,
                        AttemptUnderWay(
                            task_id=started.task_id, attempt=started.attempt, started_ms=started.started_ms
                        ),
                    )
            case "logs":
                self._logs_opened(message.logs)
            case "heartbeats":
                for beat in message.heartbeats.heartbeats:
                    engine.progress(
                        shepherd_id,
                        Progress(task_id=beat.task_id, attempt=beat.attempt, time_ms=beat.time_ms, note=beat.note),
                    )
            case "offers":
                self._shepherds.offer(shepherd_id, convert.offers(message.offers.offers))
            case _:  # Status (that it came is all), Ack, a second Hello, or something newer than we are
                return

    def _logs_opened(self, logs: wire.LogsOpened) -> None:
        for opened in logs.opened:
            task = self._engine.taskset.get(opened.task_id)
            self._engine.append(
                LogOpened(
                    time_ms=self._clock.now_ms(),
                    domain=task.domain if task is not None else "",
                    task_id=opened.task_id,
                    attempt=opened.attempt,
                    sink=opened.sink,
                    locator=opened.locator,
                )
            )

    # ── what it is told ──────────────────────────────────────────────────────────────────────────────

    async def _speak(self, connection: Connection, wake: asyncio.Event, context: Any) -> str:
        while True:
            await wake.wait()
            wake.clear()
            to_send = connection.take()
            if connection.info.speaks_extensions:
                for message in _messages(to_send):
                    await context.write(message)
            else:
                sent = self._shepherds.known[connection.info.shepherd_id].sent
                for task in to_send.tasks:
                    sent[task.task_id] = task.attempt
                    await context.write(wire.ServerMsg(task=convert.assignment(task)))
            if connection.close_with is not None:
                return connection.close_with


def _messages(to_send: ToSend) -> list[wire.ServerMsg]:
    messages: list[wire.ServerMsg] = []
    if to_send.acked is not None:
        messages.append(wire.ServerMsg(acked=wire.ResultsAcked(sequence=to_send.acked)))
    batch: list[wire.Task] = []
    size = 0
    for task in to_send.tasks:
        batch.append(convert.assignment(task))
        size += len(task.args) + len(task.kwargs)
        if len(batch) >= MAX_BATCH or size >= MAX_BATCH_BYTES:
            messages.append(wire.ServerMsg(tasks=wire.TaskBatch(tasks=batch)))
            batch, size = [], 0
    if batch:
        messages.append(wire.ServerMsg(tasks=wire.TaskBatch(tasks=batch)))
    messages.extend(
        wire.ServerMsg(cancel=wire.CancelAttempt(task_id=task_id, attempt=attempt, reason=reason))
        for task_id, attempt, reason in to_send.cancels
    )
    return messages
