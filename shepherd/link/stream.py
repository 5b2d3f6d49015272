"""The link to the orchestrator: connects, says hello, and connects again whenever the connection is lost."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterable

import grpc
import grpc.aio
import structlog

from shepherd.errors import EpochRefused, LinkError, OrchestratorUnreachable, ProtocolMismatch
from shepherd.link.assignments import Assignments, Work
from shepherd.link.news import News
from shepherd.link.outbox import Outbox
from shepherd.link.session import Room, Session
from shepherd.link.standing import standing
from shepherd.wire.calls import CLUSTER_STREAM
from shepherd.wire.messages import ClientMsg, Hello, ServerMsg, TaskOffer, Welcome
from shepherd.wire.payload import End

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0
PAUSE_GROWTH = 1.5
"""Slow, because a restarted orchestrator answers after half a second, and then tasks wait for this."""
MOST_MESSAGE_BYTES = 64 * 1024 * 1024
STEADY_AFTER_S = 1.0
"""A connection that ends sooner, though it was welcomed, doesn't begin the pauses anew: an orchestrator whose disk is
full ends one after another."""
PROTOCOL_VERSION = 1

_OPTIONS = (
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MOST_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)
_FENCED = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED, grpc.StatusCode.ALREADY_EXISTS)
_REFUSED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
)

_log = structlog.get_logger(__name__)


class Introduction:
    """Makes the Hello: `fixed` has all that never changes, `offers` what can be run now."""

    def __init__(self, fixed: Hello, offers: Callable[[], Iterable[TaskOffer]]) -> None:
        self._fixed = fixed
        self._offers = offers

    def hello(self, running: Iterable[tuple[str, int]], ended: Iterable[tuple[str, int]]) -> Hello:
        """For one connection."""
        hello = Hello(protocol_version=PROTOCOL_VERSION, pid=os.getpid(), offers=self._offers())
        hello.MergeFrom(self._fixed)
        hello.standing.extend(standing(running, ended))
        return hello


class Link:
    """Also the reporter of attempts. Nothing of what it is given gets lost while there is no connection."""

    def __init__(self, address: str, introduction: Introduction, room: Room) -> None:
        self._address = address
        self._introduction = introduction
        self._room = room
        self._outbox = Outbox(self._wake)
        self.news = News(self._wake)
        self._session: Session | None = None
        self._welcomed_now = False
        self._welcomed_ever = False
        self._azolla = False
        self._told: str | None = None
        """What was last logged of the connection, so that a change is logged once."""

    # Reporter.

    def attempt_started(self, task_id: str, attempt: int, started_ms: int) -> None:
        self.news.started(task_id, attempt, started_ms)

    def attempt_ended(self, task_id: str, attempt: int, end: End) -> None:
        self._outbox.put(task_id, attempt, end)

    def attempt_heartbeat(self, task_id: str, attempt: int, time_ms: int, note: str) -> None:
        self.news.heartbeat(task_id, attempt, time_ms, note)

    # Life.

    async def run(self, work: Work) -> None:
        """Until cancelled. Raises EpochRefused or LinkError when trying again makes no sense."""
        assignments = Assignments(work)
        pause = FIRST_PAUSE_S
        while True:
            self._welcomed_now = False
            began = time.monotonic()
            try:
                await self._connect(work, assignments)
                self._tell("closed", "the orchestrator closed the connection")
            except grpc.aio.AioRpcError as error:
                self._judge(error)
            lasted = time.monotonic() - began
            pause = (
                FIRST_PAUSE_S
                if self._welcomed_now and lasted >= STEADY_AFTER_S
                else min(LONGEST_PAUSE_S, pause * PAUSE_GROWTH)
            )
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def flush(self, within_s: float) -> bool:
        """Wait until every result is acknowledged. False if that took too long."""
        try:
            await asyncio.wait_for(self._outbox.emptied(), within_s)
        except TimeoutError:
            return False
        return True

    def close_room(self) -> None:
        """Say that nothing more is taken."""
        self._room.closed = True
        if self._session is not None:
            self._session.tell_status()

    def _wake(self) -> None:
        if self._session is not None:
            self._session.wake()

    async def _connect(self, work: Work, assignments: Assignments) -> None:
        async with grpc.aio.insecure_channel(self._address, options=_OPTIONS) as channel:
            dial = channel.stream_stream(
                CLUSTER_STREAM,
                request_serializer=ClientMsg.SerializeToString,
                response_deserializer=ServerMsg.FromString,
            )
            call = dial()
            session = Session(
                call,
                outbox=self._outbox,
                news=self.news,
                work=work,
                assignments=assignments,
                room=self._room,
                welcomed=self._welcomed,
                azolla=self._azolla,
            )
            self._outbox.reconnected()
            self.news.reconnected()
            hello = self._introduction.hello(work.standing(), self._outbox.standing())
            self._session = session
            try:
                await session.run(hello)
                code = await call.code()
                if code is not grpc.StatusCode.OK:
                    raise grpc.aio.AioRpcError(
                        code, await call.initial_metadata(), await call.trailing_metadata(), await call.details()
                    )
            finally:
                self._session = None
                call.cancel()

    def _welcomed(self, welcome: Welcome | None) -> None:
        self._welcomed_now = self._welcomed_ever = True
        self._azolla = welcome is None
        self._tell("connected", "connected to the orchestrator", version=welcome.version if welcome else "Azolla")

    def _judge(self, error: grpc.aio.AioRpcError) -> None:
        code, details = error.code(), error.details() or ""
        if code in _FENCED:
            raise EpochRefused(
                "the orchestrator refuses this shepherd",
                subject=self._address,
                why=details,
                hint="another shepherd with the same identity runs: give each its own state folder",
            ) from error
        if code in _REFUSED and not self._welcomed_ever:
            kind = ProtocolMismatch if code is grpc.StatusCode.UNIMPLEMENTED else LinkError
            raise kind(
                "the orchestrator refuses this shepherd",
                subject=self._address,
                why=details or code.name,
                hint="check `orchestrator` in the configuration: host and gRPC port of azolla-local, same version",
            ) from error
        unreachable = OrchestratorUnreachable(
            "the orchestrator can't be reached; trying on", subject=self._address, why=f"{code.name}: {details}"
        )
        self._tell(code.name, unreachable.what, address=self._address, why=unreachable.why)

    def _tell(self, state: str, text: str, **details: str) -> None:
        if state != self._told:
            self._told = state
            (_log.info if state == "connected" else _log.warning)(text, **details)
