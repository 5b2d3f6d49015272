"""The tier `process`: a fresh process for each attempt, with no jail around it.

The process is `python -m shepherd.workers.main`, which runs the task and writes `outcome.json` in the attempt's control
folder before it leaves. So an outcome survives the shepherd: the next one adopts what still runs, and reads the rest.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from shepherd.definitions import TaskDefinition
from shepherd.tiers.child import Child, Exit
from shepherd.tiers.contract import Ability, Listener, Order
from shepherd.tiers.control_folder import read_heartbeat, read_outcome, write_assignment
from shepherd.tiers.outcomes import stopped, worker_died
from shepherd.tiers.remains import Remains
from shepherd.wire.payload import End, Outcome


def attempt_mark(order: Order) -> str:
    """What the environment of every process of an attempt holds, unless it was wiped."""
    return f"AZOLLA_TASK_ID={order.assignment.task_id}"


class _Running:
    __slots__ = ("adopted", "child", "grace_timer", "heartbeat_ms", "limit_timer", "order", "started_ms")

    def __init__(self, order: Order, started_ms: int, *, adopted: bool) -> None:
        self.order = order
        self.started_ms = started_ms
        self.adopted = adopted
        self.heartbeat_ms = 0
        self.child: Child | None = None
        self.limit_timer: asyncio.TimerHandle | None = None
        self.grace_timer: asyncio.TimerHandle | None = None


class ProcessTier:
    """See :mod:`shepherd.tiers.contract`. `command` starts a worker; the path of an assignment file is appended."""

    name = "process"
    fresh = True

    _listener: Listener

    def __init__(self, command: Sequence[str], now_ms: Callable[[], int]) -> None:
        self._command = tuple(command)
        self._now_ms = now_ms
        self._running: dict[Order, _Running] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def able(self) -> Ability:
        return Ability(able=True)

    def start(self, order: Order) -> None:
        place = order.place
        if place is None:
            raise ValueError("an order of the tier process needs a place")
        running = self._begin(order, self._now_ms(), adopted=False)
        service = order.definition.service
        try:
            file = write_assignment(order, place, running.started_ms)
            running.child = Child.spawn(
                (*self._command, str(file)),
                environment=place.environment,
                folder=place.work,
                stdout=place.stdout_fd,
                stderr=place.stderr_fd,
                on_exit=lambda ended: self._left(running, ended),
                limit_mem=service.limit_mem,
                nice=service.nice,
            )
        except OSError as error:
            message = f"no process could be started for it: {error.strerror or error}"
            self._later(self._report(running, stopped(Outcome.LOST, message, self.name, ended_ms=self._now_ms())))
            return
        self._limit(running, order.time_limit_s)
        self._later(self._tell_started(running))

    def adopt(self, order: Order, pid: int | None, started_ms: int) -> None:
        """Take over an attempt that an earlier shepherd started; `pid` None: its process is gone."""
        running = self._begin(order, started_ms, adopted=True)
        if pid is not None:
            try:
                running.child = Child.adopt(pid, lambda ended: self._left(running, ended))
            except ProcessLookupError:
                pid = None
        if pid is None:
            self._later(self._finish(running, Exit()))
            return
        if order.time_limit_s is not None:
            used_s = (self._now_ms() - started_ms) / 1000
            self._limit(running, max(0.0, order.time_limit_s - used_s))

    def stop(self, order: Order, outcome: Outcome, reason: str = "") -> None:
        running = self._running.get(order)
        if running is None or running.child is None or order.stop is not None:
            return
        order.stop = outcome
        order.stop_reason = reason
        running.child.signal_group(_number(order.definition.service.kill_signal))
        running.grace_timer = asyncio.get_running_loop().call_later(
            order.grace_s, running.child.signal_group, signal.SIGKILL
        )

    def hurry(self) -> None:
        for running in self._running.values():
            if running.child is not None and running.order.stop is not None:
                running.child.signal_group(signal.SIGKILL)

    def look_for_heartbeats(self) -> None:
        """Tell what the tasks that run have written since the last look; to be called now and then."""
        for running in self._running.values():
            place = running.order.place
            beat = read_heartbeat(place.control) if place is not None else None
            if beat is not None and beat[0] != running.heartbeat_ms:
                running.heartbeat_ms = beat[0]
                self._listener.heartbeat(running.order, beat[1])

    def withdraw(self) -> list[Order]:
        return []  # what it takes, it starts

    def keep(self, definitions: Iterable[TaskDefinition]) -> list[Order]:
        del definitions
        return []

    async def close(self) -> None:
        for order in list(self._running):
            self.stop(order, Outcome.LOST)
        await self._idle.wait()
        await asyncio.gather(*self._finishing)

    def _begin(self, order: Order, started_ms: int, *, adopted: bool) -> _Running:
        running = self._running[order] = _Running(order, started_ms, adopted=adopted)
        self._idle.clear()
        return running

    def _limit(self, running: _Running, seconds: float | None) -> None:
        if seconds is not None:
            running.limit_timer = asyncio.get_running_loop().call_later(seconds, self._out_of_time, running)

    def _out_of_time(self, running: _Running) -> None:
        limit = running.order.time_limit_s or 0.0
        self.stop(running.order, Outcome.TIMED_OUT, f"it ran longer than the {limit:g} s that it may")

    def _left(self, running: _Running, ended: Exit) -> None:
        self._later(self._finish(running, ended))

    async def _tell_started(self, running: _Running) -> None:
        if running.order in self._running:
            self._listener.started(running.order, running.started_ms)

    async def _finish(self, running: _Running, ended: Exit) -> None:
        order = running.order
        left_behind = ""
        if running.child is not None:
            remains = Remains(running.child.pid, attempt_mark(order), everywhere=running.adopted)
            left_behind = await remains.end()
        end = self._end(running, ended)
        end.left_behind = left_behind
        end.peak_memory_bytes = ended.usage.peak_memory_bytes
        end.cpu_us = ended.usage.cpu_us
        await self._report(running, end)

    async def _report(self, running: _Running, end: End) -> None:
        for timer in (running.limit_timer, running.grace_timer):
            if timer is not None:
                timer.cancel()
        del self._running[running.order]
        if not self._running:
            self._idle.set()
        self._listener.ended(running.order, end)

    def _end(self, running: _Running, ended: Exit) -> End:
        order, now_ms = running.order, self._now_ms()
        told = read_outcome(order.place.control, self.name) if order.place is not None else None
        if order.stop is not None:
            end = stopped(order.stop, order.stop_reason, self.name, started_ms=running.started_ms, ended_ms=now_ms)
            end.exit_code, end.signal = (
                (told.exit_code, told.signal) if told is not None else (ended.code, ended.signal)
            )
            return end
        end = told
        if end is None and running.adopted and ended.code is None:
            return stopped(
                Outcome.LOST,
                "its shepherd restarted meanwhile, and its process left without an outcome",
                self.name,
                started_ms=running.started_ms,
                ended_ms=now_ms,
            )
        if end is None:
            return worker_died(ended, self.name, started_ms=running.started_ms, ended_ms=now_ms)
        end.started_ms = end.started_ms or running.started_ms
        end.ended_ms = end.ended_ms or now_ms
        return end

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)


def _number(name: str) -> int:
    return signal.Signals[name].value if name in signal.Signals.__members__ else signal.SIGTERM
