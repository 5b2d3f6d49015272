"""One connection to the orchestrator, from the Hello to its end.

Everything that is new is sent in as few messages as can be: a send takes whatever has come together while the one before
it was on its way. Results follow one another at a small distance while other attempts run here, or else both sides would
soon exchange messages of one result each, which cost a hundred times what a result costs. The first after a quiet moment
is sent at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from shepherd.link.assignments import Assignments, Work
from shepherd.link.news import News
from shepherd.link.outbox import Outbox
from shepherd.wire.messages import ClientMsg, Hello, ServerMsg, Status, Welcome

AZOLLA_HEARTBEAT_S = 30.0
FIRST_HEARTBEAT_S = 2.0
RESULTS_APART_S = 0.001
ENOUGH_RESULTS = 64
"""So many are worth a message of their own at once."""

_log = structlog.get_logger(__name__)


class Call(Protocol):
    """The part of a gRPC stream that is used; `read` gives something that is no message at the end."""

    async def read(self) -> ServerMsg | Any: ...
    async def write(self, request: ClientMsg) -> None: ...
    async def done_writing(self) -> None: ...


@dataclass(slots=True)
class Room:
    """How much this shepherd takes."""

    window: int
    max_concurrency: int
    closed: bool = False
    """The shepherd is about to end: nothing more."""
    paused: bool = False
    """The orchestrator doesn't want it to take more."""

    def status(self, held: int, *, azolla: bool) -> Status:
        """What is free now."""
        size = self.max_concurrency if azolla else self.window
        free = 0 if self.closed or self.paused else max(0, size - held)
        return Status(current_load=held, available_capacity=free)


class Session:
    """Speaks over one call. `welcomed` is called when the orchestrator has answered the Hello."""

    def __init__(
        self,
        call: Call,
        *,
        outbox: Outbox,
        news: News,
        work: Work,
        assignments: Assignments,
        room: Room,
        welcomed: Callable[[Welcome | None], None],
        azolla: bool = False,
    ) -> None:
        """`azolla`: the last connection was to an orchestrator of Azolla's, and so is this one, until it says welcome."""
        self._call = call
        self._outbox = outbox
        self._news = news
        self._work = work
        self._assignments = assignments
        self._room = room
        self._welcomed = welcomed
        self._dirty = asyncio.Event()
        self._open = azolla
        """The other end is known: everything may be sent."""
        self._azolla = azolla
        self._results_sent = 0.0
        self._status_due = True
        self._heartbeat: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Something is to be sent."""
        self._dirty.set()

    def tell_status(self) -> None:
        """The room has changed."""
        self._status_due = True
        self._dirty.set()

    async def run(self, hello: Hello) -> None:
        """Until the other end closes the stream, or the connection breaks (grpc's error)."""
        await self._call.write(ClientMsg(hello=hello))
        self._beat(AZOLLA_HEARTBEAT_S if self._azolla else FIRST_HEARTBEAT_S)
        writing = asyncio.get_running_loop().create_task(self._write())
        reading = asyncio.get_running_loop().create_task(self._read())
        try:
            done, _ = await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                # grpc cancels who reads or writes when the call was cancelled from the other side.
                if not task.cancelled():
                    task.result()
        finally:
            if self._heartbeat is not None:
                self._heartbeat.cancel()
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)

    async def _read(self) -> None:
        read = self._call.read
        while True:
            message = await read()
            if not isinstance(message, ServerMsg):
                return
            kind = message.WhichOneof("kind")
            if kind == "acked":
                for task_id, attempt in self._outbox.acknowledged(message.acked.sequence):
                    self._work.acknowledged(task_id, attempt)
            elif kind == "welcome":
                self._welcome(message.welcome)
            else:
                if kind == "task" and not self._open:
                    self._no_welcome()
                self._assignments.handle(message)
                if kind == "drain":
                    self._room.paused = True
                    self.tell_status()

    def _welcome(self, welcome: Welcome) -> None:
        refused = {(key.task_id, key.attempt) for key in welcome.refused}
        if refused:
            self._outbox.forget(refused)
            self._work.refuse(refused)
        self._open, self._azolla = True, False
        self._room.paused = False
        self._work.resume()
        self._beat(welcome.heartbeat_ms / 1000 or FIRST_HEARTBEAT_S)
        self._welcomed(welcome)
        self._dirty.set()

    def _no_welcome(self) -> None:
        _log.info("the orchestrator speaks plain Azolla: results are sent one by one, and not acknowledged")
        self._open = self._azolla = True
        self._news.forget_all()
        self._beat(AZOLLA_HEARTBEAT_S)
        self._welcomed(None)

    def _beat(self, every_s: float) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        self._heartbeat = asyncio.get_running_loop().call_later(every_s, self._beat, every_s)
        self.tell_status()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._dirty.wait()
            await asyncio.sleep(0)  # what the loop is about to add goes with it
            pause_s = self._results_sent + RESULTS_APART_S - loop.time()
            if pause_s > 0 and self._work.held and len(self._outbox) < ENOUGH_RESULTS:
                await asyncio.sleep(pause_s)
            self._dirty.clear()
            try:
                while (message := self._next()) is not None:
                    await self._call.write(message)
            except asyncio.InvalidStateError:
                return  # grpc's word for a call that has ended: its code says why

    def _next(self) -> ClientMsg | None:
        if self._open:
            message = self._next_azolla() if self._azolla else self._next_own()
            if message is not None:
                return message
        if self._status_due:
            self._status_due = False
            return ClientMsg(status=self._room.status(self._work.held, azolla=self._azolla))
        return None

    def _next_own(self) -> ClientMsg | None:
        message = self._news.next_message()
        if message is not None:
            return message
        batch = self._outbox.next_batch()
        if batch is None:
            return None
        self._results_sent = asyncio.get_running_loop().time()
        return ClientMsg(results=batch)

    def _next_azolla(self) -> ClientMsg | None:
        self._news.forget_all()
        result = self._outbox.next_single()
        if result is None:
            return None
        self._work.acknowledged(result.task_id, result.attempt)
        self._status_due = True
        return ClientMsg(task_result=result)
