"""The client's connection to the catcher: made, lost, made again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from logsinks.capture import protocol
from logsinks.capture.connecting import connect
from logsinks.capture.values import SpoolQuota
from logsinks.errors import CatcherUnavailable

_WELCOME_S = 10.0
_REPLACE_EVERY_S = 1.0

_log = logging.getLogger(__name__)

Message = tuple[dict[str, Any], tuple[int, ...]]


class Link:
    """`held` gives what each catcher is told first; `lost` says whether a dead one is replaced."""

    def __init__(
        self,
        spool: Path,
        quota: SpoolQuota,
        *,
        held: Callable[[], Iterator[Message]],
        take: Callable[[dict[str, Any], list[int]], None],
        lost: Callable[[], bool],
    ) -> None:
        self._spool = spool
        self._quota = quota
        self._held = held
        self._take = take
        self._on_lost = lost
        self._loop = asyncio.get_running_loop()
        self._peer: protocol.Peer | None = None
        self._welcome: asyncio.Future[int] | None = None
        self._replacing: asyncio.Task[None] | None = None
        self._closed = False
        self.catcher_pid = 0

    @property
    def connected(self) -> bool:
        """Whether a catcher is there now."""
        return self._peer is not None

    async def connect(self) -> None:
        """Find or start a catcher. CatcherUnavailable."""
        if await connect(self._spool, self._handshake) is None:
            raise CatcherUnavailable(
                "The process that captures output can't be reached",
                subject=str(self._spool),
                why="it doesn't answer, and none can be started in its place",
                hint=f"see {self._spool}/catcher.log",
            )

    async def ready(self) -> None:
        """Return when a catcher is there, should one be on its way."""
        while self._peer is None and self._replacing is not None and not self._closed:
            await asyncio.shield(self._replacing)

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """Send to the catcher. While it is being replaced nothing is sent: the new one is told everything."""
        peer = self._peer
        if peer is None:
            return
        try:
            peer.send(message, fds)
            if peer.waiting:
                self._loop.add_writer(peer.fileno(), self._writable, peer)
        except protocol.PeerGone:
            self._lost()

    async def close(self) -> None:
        """Detach for good."""
        self._closed = True
        if self._replacing is not None:
            self._replacing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._replacing
        self._detach()

    async def _handshake(self, connected: socket.socket) -> bool:
        """Whether a catcher answers on this socket; then everything that we hold has been told to it."""
        peer = self._peer = protocol.Peer(connected)
        welcome = self._welcome = self._loop.create_future()
        self._loop.add_reader(peer.fileno(), self._readable, peer)
        quota = {"total": self._quota.total, "unit": self._quota.unit, "policy": self._quota.policy}
        self.send({"t": "hello", "version": protocol.VERSION, "quota": quota})
        try:
            async with asyncio.timeout(_WELCOME_S):
                self.catcher_pid = await welcome
        except (TimeoutError, protocol.PeerGone):
            self._detach()
            return False
        for message, fds in list(self._held()):
            self.send(message, fds)
        return True

    def _detach(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            self._loop.remove_reader(peer.fileno())
            self._loop.remove_writer(peer.fileno())
            peer.close()

    def _writable(self, peer: protocol.Peer) -> None:
        try:
            peer.flush()
        except protocol.PeerGone:
            self._lost()
            return
        if not peer.waiting:
            self._loop.remove_writer(peer.fileno())

    def _readable(self, peer: protocol.Peer) -> None:
        try:
            messages = peer.receive()
        except protocol.PeerGone as gone:
            self._lost(gone)
            return
        for message, fds in messages:
            if message["t"] == "welcome" and self._welcome is not None and not self._welcome.done():
                self._welcome.set_result(message["pid"])
            else:
                self._take(message, fds)

    def _lost(self, gone: protocol.PeerGone | None = None) -> None:
        if self._closed or self._peer is None:
            return
        if self._welcome is not None and not self._welcome.done():
            # It was about to end when we came; the handshake goes on to the next one.
            self._loop.remove_reader(self._peer.fileno())
            self._welcome.set_exception(gone or protocol.PeerGone("it has closed the connection"))
            return
        self._detach()
        if self._on_lost():
            self._replacing = self._loop.create_task(self._replace())

    async def _replace(self) -> None:
        while True:
            try:
                await self.connect()
            except CatcherUnavailable as error:
                _log.error("%s; trying again", error)
                await asyncio.sleep(_REPLACE_EVERY_S)
            else:
                return
