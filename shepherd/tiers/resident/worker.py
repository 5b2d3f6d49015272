"""One warm worker as the shepherd sees it: its process, its socket, and the attempts that are in it."""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import Any, Protocol, cast

import orjson
import structlog

from shepherd.tiers.child import Child, Exit
from shepherd.tiers.contract import Order

_log = structlog.get_logger(__name__)

_LARGEST_FRAME = 64 * 1024 * 1024
_loads = orjson.loads
_dumps = orjson.dumps


class Phase(Enum):
    """Where a worker stands."""

    STARTING = auto()
    READY = auto()
    RETIRING = auto()
    """Finishes what it has, takes nothing more."""
    DYING = auto()
    """Killed by us, or lost."""


class WorkerOwner(Protocol):
    """Who hears a worker."""

    def worker_ready(self, worker: ResidentWorker) -> None: ...
    def attempt_started(self, worker: ResidentWorker, order: Order) -> None: ...
    def attempt_ended(self, worker: ResidentWorker, order: Order, report: dict[str, Any]) -> bool:
        """False: it comes back without having run."""
        ...

    def attempt_heartbeat(self, worker: ResidentWorker, order: Order, note: str) -> None: ...
    def worker_has_room(self, worker: ResidentWorker, busy_s: float, ended: int) -> None: ...
    def limit_reached(self, worker: ResidentWorker, order: Order) -> None: ...
    def worker_left(self, worker: ResidentWorker, ended: Exit) -> None: ...


class ResidentWorker(asyncio.Protocol):
    """Frames both ways are `u32 length, little endian | JSON` (:mod:`shepherd.workers.pipe`)."""

    def __init__(self, name: str, owner: WorkerOwner, *, one_by_one: bool) -> None:
        self.name = name
        self.phase = Phase.STARTING
        self.one_by_one = one_by_one
        """It runs its attempts in the order in which they came, so only the first of `held` can be running."""
        self.held: dict[str, Order] = {}
        self.taken = 0
        """Attempts given to it so far."""
        self.born = time.monotonic()
        self.child: Child | None = None
        self.closed = asyncio.Event()
        """Nothing more comes from its socket."""
        self.recalled: set[Order] = set()
        """Asked back, because the one before them takes long."""
        self.came_back: list[Order] = []
        """Recalled, and here again without having run; for the owner to take away."""
        self.known_running: Order | None = None
        """The worker itself has said that this one runs."""
        self.channel = ""
        """Name of its log channel."""
        self.channel_ended = asyncio.Event()
        self.killed = False
        """We have ended it, whatever it says."""
        self.never_ready = True
        self.last_used = self.born
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._rest = bytearray()
        self._needed = 0
        self._busy_since = 0.0
        self._given_at: dict[Order, float] = {}
        """Of attempts with a time limit, in a worker that runs many at once."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def head(self) -> Order | None:
        """The attempt that has been in it the longest."""
        for order in self.held.values():
            return order
        return None

    def give(self, orders: list[Order], frames: list[bytes]) -> None:
        """Send attempts, with their frames made by :func:`frame`, in one go."""
        now = time.monotonic()
        if not self.held:
            self._busy_since = now
        for order in orders:
            self.held[order.key] = order
            if order.time_limit_s is not None:
                if not self.one_by_one:
                    self._given_at[order] = now
                self._watch_limit(order, now)
        self.taken += len(orders)
        self.last_used = now
        self.send(b"".join(frames))

    def send(self, data: bytes) -> None:
        """Send frames as they are; what a worker that is gone doesn't get is settled at its end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Read no more from it."""
        if self._transport is not None:
            self._transport.abort()
        else:
            self.closed.set()

    def left(self, ended: Exit) -> None:
        """Its process has ended."""
        self.phase = Phase.DYING
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._owner.worker_left(self, ended)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # the end of the process says more
        self._transport = None
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        rest = self._rest
        if rest:
            rest += data
            if len(rest) < self._needed:
                return
            data = bytes(rest)
            rest.clear()
        at, end, before = 0, len(data), len(self.held)
        while end - at >= 4:
            length = int.from_bytes(data[at : at + 4], "little")
            stop = at + 4 + length
            if stop > end:
                self._needed = 4 + length
                break
            if not self._message(data[at + 4 : stop]):
                return
            at = stop
        else:
            self._needed = 4
        if at < end:
            rest += data[at:]
        if self._needed > _LARGEST_FRAME:
            self._give_up("it announced a frame that is too long")
            return
        gone = before - len(self.held)
        ended = gone - len(self.came_back)
        if gone > 0:
            now = time.monotonic()
            busy_s = now - self._busy_since
            if ended > 0:
                self._busy_since = now
                self._watch_head(now)
            self._owner.worker_has_room(self, busy_s, ended)

    def _message(self, payload: bytes) -> bool:
        try:
            message: dict[str, Any] = _loads(payload)
            kind = message["t"]
            if kind == "ready":
                self.never_ready = False
                self._owner.worker_ready(self)
                return True
            order = self.held.get(message["key"])
        except (ValueError, KeyError, TypeError) as error:
            self._give_up(f"it sent what is no message: {error}")
            return False
        if order is None:
            return True  # its end was settled already
        if kind == "ended":
            del self.held[order.key]
            self._given_at.pop(order, None)
            if self.known_running is order:
                self.known_running = None
            if not self._owner.attempt_ended(self, order, message):
                self.came_back.append(order)
        elif kind == "started":
            self.known_running = order
            self._owner.attempt_started(self, order)
        elif kind == "heartbeat":
            self._owner.attempt_heartbeat(self, order, str(message.get("note", "")))
        return True

    def _give_up(self, why: str) -> None:
        _log.error("a worker doesn't speak as it should, and is ended", worker=self.name, why=why)
        self.phase = Phase.DYING
        self.abort()
        if self.child is not None:
            self.child.signal_group(9)

    # Time limits. One timer a worker, never moved back for an attempt that has ended: it looks again when it rings.

    def _watch_head(self, now: float) -> None:
        head = self.head
        if self.one_by_one and head is not None and head.time_limit_s is not None:
            self._watch_limit(head, now)

    def _watch_limit(self, order: Order, now: float) -> None:
        if order.time_limit_s is None or (self.one_by_one and order is not self.head):
            return
        due = now + order.time_limit_s
        if self._timer is None or due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = asyncio.get_running_loop().call_later(order.time_limit_s, self._look_at_limits)

    def _look_at_limits(self) -> None:
        self._timer = None
        now = time.monotonic()
        head = self.head
        began = {head: self._busy_since} if self.one_by_one and head is not None else dict(self._given_at)
        for order, since in began.items():
            limit = order.time_limit_s
            if limit is None or order.stop is not None:
                continue
            if since + limit <= now:
                self._owner.limit_reached(self, order)
            else:
                remaining = since + limit - now
                if self._timer is None or now + remaining < self._timer_at:
                    if self._timer is not None:
                        self._timer.cancel()
                    self._timer_at = now + remaining
                    self._timer = asyncio.get_running_loop().call_later(remaining, self._look_at_limits)


def frame(message: dict[str, Any]) -> bytes:
    """A message as it travels."""
    payload = _dumps(message)
    return len(payload).to_bytes(4, "little") + payload
