"""Warm workers come and go: started when attempts wait, replaced when they are old, ended when they must.

There are at most `most_workers`, over all modules. A pool without any takes the place of a worker that is idle, or of
one that has served long enough, so that no module keeps another from running.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from shepherd.definitions import TaskDefinition
from shepherd.errors import ShepherdError
from shepherd.tiers.child import Exit
from shepherd.tiers.contract import Order
from shepherd.tiers.remains import Remains
from shepherd.tiers.resident.frames import RETIRE
from shepherd.tiers.resident.pool import Pool, PoolKey
from shepherd.tiers.resident.worker import Phase, ResidentWorker, WorkerOwner

TENURE_S = 2.0
"""A busy worker keeps its place so long, while another pool has none."""

MOST_FAILED_STARTS = 3
LAST_WORDS_S = 1.0
"""How long to wait for what a dead worker had still sent."""

_log = structlog.get_logger(__name__)


class Launch(Protocol):
    """Starts worker processes."""

    def check(self, definition: TaskDefinition) -> None:
        """Raise `Refused` if a worker for this definition could never be started."""
        ...

    async def start(self, worker: ResidentWorker, definition: TaskDefinition, left: Callable[[Exit], None]) -> None:
        """Start the process and connect it. Raises OSError or ShepherdError."""
        ...

    def mark(self, worker: ResidentWorker) -> str:
        """What the environment of every process of this worker holds."""
        ...

    def remove(self, worker: ResidentWorker) -> None:
        """Take away its folder."""
        ...


class HiringOwner(WorkerOwner, Protocol):
    """Who hears of workers, and of those that can't be had."""

    def start_failed(self, pool: Pool, why: str) -> None: ...


class Hiring:
    """All workers of the tier."""

    def __init__(
        self,
        launch: Launch,
        owner: HiringOwner,
        pools: Mapping[PoolKey, Pool],
        *,
        most_workers: int,
        recycle_attempts: int,
        recycle_age_s: float,
    ) -> None:
        self._launch = launch
        self._owner = owner
        self._pools = pools
        self._most = most_workers
        self._recycle_attempts = recycle_attempts
        self._recycle_age_s = recycle_age_s
        self._pool_of: dict[ResidentWorker, Pool] = {}
        self._hungry: dict[Pool, None] = {}
        """Pools with waiting attempts and no worker, in the order in which they ask."""
        self._started = 0
        self._closed = False
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._starts: set[asyncio.Task[None]] = set()

    def pool_of(self, worker: ResidentWorker) -> Pool:
        """Where a worker belongs."""
        return self._pool_of[worker]

    def check(self, definition: TaskDefinition) -> None:
        """Raise `Refused` if no worker can ever be started for it."""
        self._launch.check(definition)

    def want(self, pool: Pool) -> None:
        """A pool has attempts that no worker of its takes now."""
        if self._closed:
            return
        starting = pool.starting()
        while starting < len(pool.waiting) and len(self._pool_of) < self._most:
            self._hire(pool)
            starting += 1
        if starting >= len(pool.waiting):
            return
        idle = self._idle_elsewhere(pool)
        if idle is not None:
            self.retire(idle)
            self._hungry[pool] = None
        elif not any(pool.serving()):
            self._hungry[pool] = None

    def has_room(self, worker: ResidentWorker) -> None:
        """A worker has nothing to do."""
        if self._hungry and worker.phase is Phase.READY and not worker.held and not self._pool_of[worker].waiting:
            self.retire(worker)

    def retire_if_due(self, worker: ResidentWorker, pool: Pool) -> None:
        """Let a worker go that is old, or whose place another pool has waited for long enough."""
        age = time.monotonic() - worker.born
        due = worker.taken >= self._recycle_attempts or age >= self._recycle_age_s
        if not due and self._hungry and pool not in self._hungry:
            due = age >= TENURE_S
        if due:
            self.retire(worker)

    def retire(self, worker: ResidentWorker) -> None:
        """It finishes what it has, and leaves."""
        if worker.phase is Phase.READY:
            worker.phase = Phase.RETIRING
            worker.send(RETIRE)
        elif worker.phase is Phase.STARTING:
            self.end_worker(worker)

    def end_worker(self, worker: ResidentWorker, order: Order | None = None) -> None:
        """End its process, because of this attempt: the kill signal of its task, its grace, then SIGKILL."""
        if worker.killed:
            return
        worker.killed = True
        worker.phase = Phase.DYING
        if worker.child is None:
            return  # still being started; ended as soon as there is something to end
        if order is None:
            worker.child.signal_group(signal.SIGKILL)
            return
        name = order.definition.service.kill_signal
        worker.child.signal_group(getattr(signal, name, signal.SIGTERM))
        asyncio.get_running_loop().call_later(order.grace_s, worker.child.signal_group, signal.SIGKILL)

    async def bury(self, worker: ResidentWorker) -> str:
        """After the end of its process: nothing of it runs any more, all it said was heard. What is left as text."""
        left_behind = ""
        if worker.child is not None:
            left_behind = await Remains(worker.child.pid, self._launch.mark(worker)).end()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await worker.closed.wait()
                if worker.channel:
                    await worker.channel_ended.wait()
        except TimeoutError:
            worker.abort()
        self._launch.remove(worker)
        return left_behind

    def channel_ended(self, name: str) -> None:
        """The log channel of a worker is over. A worker that still runs has lost its catcher, and is replaced."""
        for worker in self._pool_of:
            if worker.channel == name:
                worker.channel_ended.set()
                self.retire(worker)

    def gone(self, worker: ResidentWorker) -> None:
        """A worker is settled: its place is free."""
        pool = self._pool_of.pop(worker)
        never_ready = worker in pool.workers and worker.never_ready and not worker.killed
        pool.workers.remove(worker)
        if not self._pool_of:
            self._none_left.set()
        if never_ready:
            pool.failed_starts += 1
            if pool.failed_starts >= MOST_FAILED_STARTS:
                pool.failed_starts = 0
                self._owner.start_failed(pool, f"it left before it was ready, {MOST_FAILED_STARTS} times")
        for hungry in list(self._hungry):
            if len(self._pool_of) >= self._most:
                break
            del self._hungry[hungry]
            self.want(hungry)

    def close(self) -> None:
        """Start no more."""
        self._closed = True
        self._hungry.clear()

    async def all_gone(self) -> None:
        """Until the last worker is settled."""
        await self._none_left.wait()

    def _idle_elsewhere(self, pool: Pool) -> ResidentWorker | None:
        idle = [
            worker
            for worker, home in self._pool_of.items()
            if home is not pool and worker.phase is Phase.READY and not worker.held and not home.waiting
        ]
        return min(idle, key=lambda worker: worker.last_used, default=None)

    def _hire(self, pool: Pool) -> None:
        self._started += 1
        worker = ResidentWorker(f"w{self._started}", self._owner, one_by_one=not pool.key.is_async)
        pool.workers.append(worker)
        self._pool_of[worker] = pool
        self._none_left.clear()
        task = asyncio.get_running_loop().create_task(self._start(worker, pool))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _start(self, worker: ResidentWorker, pool: Pool) -> None:
        try:
            await self._launch.start(worker, pool.definition, worker.left)
        except (OSError, ShepherdError) as error:
            _log.error("a worker can't be started", worker=worker.name, error=str(error))
            worker.abort()
            if worker.child is None:
                worker.left(Exit())
            else:
                worker.child.signal_group(signal.SIGKILL)
            return
        if worker.killed and worker.child is not None:
            worker.child.signal_group(signal.SIGKILL)
