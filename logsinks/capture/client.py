"""The shepherd's side of the catcher: opens pipes and channels, and is told what is safely in the spool.

All calls are made in one asyncio loop; none blocks it for longer than a message to a local socket takes (starting
a catcher, once a spool folder, takes some tens of milliseconds, in a thread).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from logsinks.capture import protocol
from logsinks.capture.link import Link
from logsinks.capture.values import HeldLogs, PipePair, SealedLog, SpoolQuota
from logsinks.errors import SealTimeout
from logsinks.identity import AttemptIdentity

__all__ = ["Capture", "HeldLogs", "PipePair", "SealedLog", "SpoolQuota"]

PIPE_BYTES = 256 * 1024
"""What a pipe may hold while the catcher does something else; more would use up what a user may have in all."""
_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)
REMEMBERED = 100_000
"""Logs that were sealed and that nobody has asked for yet."""


class _Pipes:
    """What is kept to give a new catcher, should this one die."""

    __slots__ = ("fds", "identity", "unit")

    def __init__(self, unit: str, identity: str, fds: tuple[int, int]) -> None:
        self.unit = unit
        self.identity = identity
        self.fds = fds


class Capture:
    """The connection to the catcher of one spool folder. :meth:`start` makes it."""

    def __init__(
        self,
        spool: Path,
        *,
        on_growth: Callable[[], None],
        on_sealed: Callable[[SealedLog], None] | None,
        on_channel_ended: Callable[[str, str], None] | None,
        on_held: Callable[[HeldLogs], None] | None,
        quota: SpoolQuota,
    ) -> None:
        self._spool = spool
        self._on_growth = on_growth
        self._on_sealed = on_sealed
        self._on_channel_ended = on_channel_ended
        self._on_held = on_held
        self._quota = quota
        self._loop = asyncio.get_running_loop()
        self._link = Link(spool, self._quota, held=self._held, take=self._take, lost=self._lost)
        self._pipes: dict[tuple[str, int], _Pipes] = {}
        self._sealed: OrderedDict[tuple[str, int], SealedLog] = OrderedDict()
        self._waiting: dict[tuple[str, int], asyncio.Future[SealedLog]] = {}
        self._sealing: set[tuple[str, int]] = set()
        self._channels: set[str] = set()
        self._said_bye: asyncio.Future[None] | None = None
        self._number = 0

    @property
    def catcher_pid(self) -> int:
        """The catcher's process id."""
        return self._link.catcher_pid

    @classmethod
    async def start(
        cls,
        spool_dir: Path,
        *,
        on_growth: Callable[[], None],
        on_sealed: Callable[[SealedLog], None] | None = None,
        on_channel_ended: Callable[[str, str], None] | None = None,
        on_held: Callable[[HeldLogs], None] | None = None,
        quota: SpoolQuota | None = None,
    ) -> Capture:
        """Connect to the catcher that serves this folder, or start one. CatcherUnavailable if neither works.

        `on_growth`: the spool has grown (at most 50 times a second). `on_channel_ended(name, why)`: a worker's
        channel is over; `why` is empty when the worker closed it itself.
        """
        capture = cls(
            _folder(spool_dir),
            on_growth=on_growth,
            on_sealed=on_sealed,
            on_channel_ended=on_channel_ended,
            on_held=on_held,
            quota=quota or SpoolQuota(),
        )
        await capture._link.connect()
        return capture

    async def open_pipes(self, identity: AttemptIdentity) -> PipePair:
        """Pipes for one attempt. Nothing is written to disk, and no process starts, before the first byte."""
        out_read, out_write = _pipe()
        err_read, err_write = _pipe()
        text = identity.to_json().decode()
        pipes = _Pipes(self._new_unit(), text, (out_read, err_read))
        self._pipes[identity.key] = pipes
        self._link.send(self._about(identity.key, pipes), pipes.fds)
        return PipePair(out_write, err_write)

    def adopted(self) -> list[tuple[str, int]]:
        """Attempts whose pipes were open already when we connected: those of the shepherd before us."""
        return list(self._pipes)

    async def seal(self, task_id: str, attempt: int, *, within_s: float = 60.0) -> SealedLog:
        """Everything written so far is in the spool and synced; the pipes are over. SealTimeout if the disk is full.

        Whoever still writes gets a broken pipe. An attempt that the catcher doesn't know has 0 bytes.
        """
        key = (task_id, attempt)
        if key not in self._sealed:
            self._sealing.add(key)
            self._link.send({"t": "seal", "task_id": task_id, "attempt": attempt})
        try:
            return await self.sealed(task_id, attempt, within_s=within_s)
        finally:
            self._sealing.discard(key)

    async def open_channel(self, name: str) -> int:
        """The write end of a framed channel (:mod:`logsinks.capture.channel`) for one warm worker."""
        await self._link.ready()
        read_end, write_end = _pipe()
        self._channels.add(name)
        self._link.send({"t": "channel", "unit": self._new_unit(), "name": name}, (read_end,))
        os.close(read_end)
        return write_end

    async def sealed(self, task_id: str, attempt: int, *, within_s: float = 60.0) -> SealedLog:
        """Wait until an attempt that has ended (its end frame was sent) is in the spool and synced. SealTimeout."""
        key = (task_id, attempt)
        there = self._sealed.pop(key, None)
        if there is not None:
            return there
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = self._loop.create_future()
        try:
            async with asyncio.timeout(within_s):
                log = await asyncio.shield(future)
        except TimeoutError as error:
            self._waiting.pop(key, None)
            raise SealTimeout(
                "The output of an attempt is not safely in the spool yet",
                subject=f"{task_id} attempt {attempt}",
                why=f"waited {within_s:g} s; the disk or a sink may be full or slow",
                hint="see `azolla-local doctor`",
            ) from error
        self._sealed.pop(key, None)
        return log

    async def close(self) -> None:
        """Detach. The catcher goes on while it holds pipes or channels, and ends by itself when it has none."""
        await self._link.close()
        for pipes in self._pipes.values():
            for fd in pipes.fds:
                os.close(fd)
        self._pipes.clear()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def shutdown(self, within_s: float = 10.0) -> None:
        """The orderly end: everything captured is sealed, then :meth:`close`. For a shepherd that has drained."""
        if self._link.connected:
            self._said_bye = self._loop.create_future()
            self._link.send({"t": "bye"})
            with contextlib.suppress(TimeoutError):  # what isn't sealed now is ended by the next catcher
                async with asyncio.timeout(within_s):
                    await self._said_bye
        await self.close()

    def _held(self) -> Iterator[tuple[dict[str, Any], tuple[int, ...]]]:
        """What a catcher must be told when we meet it: everything that we hold and wait for."""
        for key, pipes in self._pipes.items():
            yield self._about(key, pipes), pipes.fds
        yield {"t": "ready"}, ()
        for task_id, attempt in self._sealing:
            yield {"t": "seal", "task_id": task_id, "attempt": attempt}, ()

    def _about(self, key: tuple[str, int], pipes: _Pipes) -> dict[str, Any]:
        return {"t": "pipes", "unit": pipes.unit, "task_id": key[0], "attempt": key[1], "identity": pipes.identity}

    def _lost(self) -> bool:
        """The catcher died; whether to replace it. Its pipes live on in our copies: a new one goes on with them."""
        if self._said_bye is not None and not self._said_bye.done():
            self._said_bye.set_result(None)
            return False
        channels, self._channels = self._channels, set()
        for name in channels:
            if self._on_channel_ended is not None:
                self._on_channel_ended(name, "the catcher ended")
        # Unit names are used once: what the dead catcher wrote stays under the old ones.
        for pipes in self._pipes.values():
            pipes.unit = self._new_unit()
        return True

    def _take(self, message: dict[str, Any], fds: list[int]) -> None:
        kind = message["t"]
        if kind == "growth":
            self._on_growth()
        elif kind == "sealed":
            for task_id, attempt, size, lines, flags in message["logs"]:
                self._take_sealed(task_id, attempt, size, lines, flags)
        elif kind == "pipes" and len(fds) == 2:
            key = (message["task_id"], message["attempt"])
            self._pipes[key] = _Pipes(message["unit"], message["identity"], (fds[0], fds[1]))
        elif kind == "channel":
            self._channels.discard(message["name"])
            if self._on_channel_ended is not None:
                self._on_channel_ended(message["name"], message["why"])
        elif kind == "held" and self._on_held is not None:
            self._on_held(HeldLogs(tuple(message["names"]), message["why"]))
        elif kind == "bye" and self._said_bye is not None and not self._said_bye.done():
            self._said_bye.set_result(None)

    def _take_sealed(self, task_id: str, attempt: int, size: int, lines: int, flags: int) -> None:
        key = (task_id, attempt)
        pipes = self._pipes.pop(key, None)
        if pipes is not None:
            for fd in pipes.fds:
                os.close(fd)
        interrupted, synced = bool(flags & protocol.INTERRUPTED), not flags & protocol.SYNC_FAILED
        log = SealedLog(task_id, attempt, size, lines, interrupted, synced)
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(log)
        else:
            self._sealed[key] = log
            if len(self._sealed) > REMEMBERED:
                self._sealed.popitem(last=False)
        if self._on_sealed is not None:
            self._on_sealed(log)

    def _new_unit(self) -> str:
        self._number = (self._number + 1) & 0xFFFF
        return f"{time.time_ns():016x}{os.getpid() & 0xFFFF:04x}{self._number:04x}"


def _folder(spool_dir: Path) -> Path:
    spool_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return spool_dir.resolve()


def _pipe() -> tuple[int, int]:
    read_end, write_end = os.pipe()
    with contextlib.suppress(OSError):  # the user has many large pipes already; a smaller one does as well
        fcntl.fcntl(write_end, _F_SETPIPE_SZ, PIPE_BYTES)
    return read_end, write_end
