"""The tier `resident`: which worker gets which attempt, and who hears of its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from shepherd.definitions import DefinitionKind, TaskDefinition
from shepherd.tiers.child import Exit
from shepherd.tiers.contract import Ability, Listener, Order
from shepherd.tiers.outcomes import Refused, reported, stopped, worker_died
from shepherd.tiers.resident import frames
from shepherd.tiers.resident.deaths import settle
from shepherd.tiers.resident.hiring import Hiring, Launch
from shepherd.tiers.resident.pool import Pool, PoolKey
from shepherd.tiers.resident.worker import Phase, ResidentWorker
from shepherd.wire.payload import End, Outcome
from shepherd.workers.resident_loop import cancelled_before_start

_log = structlog.get_logger(__name__)


class ResidentTier:
    """See :mod:`shepherd.tiers.contract`."""

    name = "resident"
    fresh = False

    _listener: Listener

    def __init__(
        self,
        launch: Launch,
        now_ms: Callable[[], int],
        *,
        shepherd_id: str,
        most_workers: int,
        recycle_attempts: int = 100_000,
        recycle_age_s: float = 3_600.0,
    ) -> None:
        self._now_ms = now_ms
        self._frames = frames.AttemptFrames(shepherd_id)
        self._pools: dict[PoolKey, Pool] = {}
        self._pool_of: dict[int, tuple[TaskDefinition, Pool]] = {}
        """By identity of the definition: the hot path computes no keys. Holds the definition, so no id comes twice."""
        self._hiring = Hiring(
            launch,
            self,
            self._pools,
            most_workers=most_workers,
            recycle_attempts=recycle_attempts,
            recycle_age_s=recycle_age_s,
        )
        self._fed: dict[Pool, None] = {}
        """Pools with new orders, to be pumped when the loop has nothing else to add."""
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def able(self) -> Ability:
        return Ability(able=True)

    def start(self, order: Order) -> None:
        known = self._pool_of.get(id(order.definition))
        try:
            pool = known[1] if known is not None else self._pool(order.definition)
        except Refused as refused:
            self._later(self._tell(order, refused.end))
            return
        pool.waiting.append(order)
        self._feed(pool)

    def stop(self, order: Order, outcome: Outcome, reason: str = "") -> None:
        pool = self._pool_with(order)
        if pool is None or order.stop is not None:
            return
        worker = pool.holder(order)
        if worker is None:
            if order in pool.waiting:
                pool.waiting.remove(order)
                order.stop, order.stop_reason = outcome, reason
                self._later(self._tell(order, stopped(outcome, reason, self.name)))
            return
        order.stop, order.stop_reason = outcome, reason
        if worker.one_by_one and order is worker.head:
            self._hiring.end_worker(worker, order)
            return
        worker.send(frames.cancel(order))
        asyncio.get_running_loop().call_later(order.grace_s, self._still_there, worker, order)

    def withdraw(self) -> list[Order]:
        orders: list[Order] = []
        for pool in self._pools.values():
            orders += pool.take(len(pool.waiting))
        return orders

    def keep(self, definitions: Iterable[TaskDefinition]) -> list[Order]:
        # Workers of other definitions finish what they have, and leave.
        current = {PoolKey.of(each) for each in definitions if each.kind is DefinitionKind.PYTHON}
        self._pool_of.clear()
        orders: list[Order] = []
        for pool in [pool for pool in self._pools.values() if pool.key not in current]:
            pool.outdated = True
            orders += pool.take(len(pool.waiting))
            for worker in list(pool.serving()):
                self._hiring.retire(worker)
            self._forget_if_empty(pool)
        return orders

    def hurry(self) -> None:
        for pool in self._pools.values():
            for worker in pool.workers:
                if worker.killed or any(order.stop is not None for order in worker.held.values()):
                    worker.killed = False
                    self._hiring.end_worker(worker)

    async def close(self) -> None:
        self._hiring.close()
        for pool in list(self._pools.values()):
            for order in pool.take(len(pool.waiting)):
                order.stop = Outcome.LOST
                self._listener.ended(order, stopped(Outcome.LOST, "", self.name))
            for worker in list(pool.workers):
                for order in worker.held.values():
                    order.stop = order.stop or Outcome.LOST
                self._hiring.end_worker(worker)
        await self._hiring.all_gone()
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # What workers say.

    def worker_ready(self, worker: ResidentWorker) -> None:
        pool = self._hiring.pool_of(worker)
        if worker.phase is Phase.STARTING:
            worker.phase = Phase.READY
            pool.failed_starts = 0
            self._pump(pool)
            self._hiring.has_room(worker)

    def attempt_started(self, worker: ResidentWorker, order: Order) -> None:
        if worker.one_by_one:
            # It takes long: what stands behind it is wanted back, for a worker that is free.
            self._hiring.pool_of(worker).pace.slow()
            behind = [each for each in worker.held.values() if each is not order and each.stop is None]
            worker.recalled.update(behind)
            worker.send(b"".join(map(frames.cancel, behind)))
        self._listener.started(order, self._now_ms())

    def attempt_heartbeat(self, worker: ResidentWorker, order: Order, note: str) -> None:
        del worker
        self._listener.heartbeat(order, note)

    def attempt_ended(self, worker: ResidentWorker, order: Order, report: dict[str, Any]) -> bool:
        if order in worker.recalled:
            worker.recalled.discard(order)
            if report.get("error") == _NOT_STARTED and order.stop is None:
                return False
        try:
            end = reported(report, self.name)
        except (KeyError, TypeError, ValueError) as error:
            _log.error("a worker's report can't be read", worker=worker.name, attempt=order.key, error=str(error))
            end = stopped(Outcome.LOST, f"its worker's report can't be read: {error}", self.name)
        if order.stop is not None:
            started_ms, log = end.started_ms, end.log
            end = stopped(order.stop, order.stop_reason, self.name, started_ms=started_ms)
            end.log = log
        end.ended_ms = end.ended_ms or self._now_ms()
        self._listener.ended(order, end)
        return True

    def worker_has_room(self, worker: ResidentWorker, busy_s: float, ended: int) -> None:
        pool = self._hiring.pool_of(worker)
        if worker.came_back:
            pool.waiting.extendleft(reversed(worker.came_back))
            worker.came_back.clear()
        if worker.one_by_one:
            if ended > 0:
                pool.pace.note(busy_s, ended)
            head = worker.head
            if head is not None and head.stop is not None:
                self._hiring.end_worker(worker, head)
                return
        if worker.phase is Phase.READY:
            self._hiring.retire_if_due(worker, pool)
        if pool.waiting:
            self._pump(pool)
        if not worker.held:
            self._hiring.has_room(worker)

    def limit_reached(self, worker: ResidentWorker, order: Order) -> None:
        del worker
        limit = order.time_limit_s or 0.0
        self.stop(order, Outcome.TIMED_OUT, f"it ran longer than the {limit:g} s that it may")

    def worker_left(self, worker: ResidentWorker, ended: Exit) -> None:
        self._later(self._settle(worker, ended))

    def start_failed(self, pool: Pool, why: str) -> None:
        """No worker of this pool can be started: what waits can't be run here now."""
        for order in pool.take(len(pool.waiting)):
            end = worker_died(Exit(), self.name, ended_ms=self._now_ms(), detail=why)
            end.error_message = f"no warm worker can be started for it: {why}"
            self._listener.ended(order, end)
        self._forget_if_empty(pool)

    # Orders to workers.

    def _pool(self, definition: TaskDefinition) -> Pool:
        key = PoolKey.of(definition)
        pool = self._pools.get(key)
        if pool is None:
            self._hiring.check(definition)
            pool = self._pools[key] = Pool(key, definition)
        pool.outdated = False
        self._pool_of[id(definition)] = (definition, pool)
        return pool

    def _pool_with(self, order: Order) -> Pool | None:
        known = self._pool_of.get(id(order.definition))
        return known[1] if known is not None else self._pools.get(PoolKey.of(order.definition))

    def _feed(self, pool: Pool) -> None:
        if not self._fed:
            asyncio.get_running_loop().call_soon(self._pump_fed)
        self._fed[pool] = None

    def _pump_fed(self) -> None:
        fed = list(self._fed)
        self._fed.clear()
        for pool in fed:
            self._pump(pool)

    def _pump(self, pool: Pool) -> None:
        now_ms = self._now_ms()
        while pool.waiting:
            worker = pool.freest()
            if worker is None:
                self._hiring.want(pool)
                return
            ready = sum(each.phase is Phase.READY for each in pool.workers)
            room = pool.depth - len(worker.held)
            share = -(-len(pool.waiting) // ready)
            orders = pool.take(min(room, share))
            worker.give(orders, self._frames.make(orders, now_ms))

    def _still_there(self, worker: ResidentWorker, order: Order) -> None:
        if worker.held.get(order.key) is order:
            self._hiring.end_worker(worker, order)

    # The end of a worker.

    def channel_ended(self, name: str) -> None:
        """A worker's log channel is over: all of it is known, and nothing can be printed into it."""
        self._hiring.channel_ended(name)

    async def _settle(self, worker: ResidentWorker, ended: Exit) -> None:
        pool = self._hiring.pool_of(worker)
        left_behind = await self._hiring.bury(worker)
        settlement = settle(worker, ended, self.name, ended_ms=self._now_ms(), left_behind=left_behind)
        for order, end in settlement.ends:
            self._listener.ended(order, end)
        if settlement.ends and not worker.killed:
            pool.pace.crashed()
            _log.warning("a worker died", worker=worker.name, how=str(ended), attempts=len(settlement.ends))
        worker.held.clear()
        pool.waiting.extendleft(reversed(settlement.again))
        self._hiring.gone(worker)
        if pool.waiting:
            self._pump(pool)
        self._forget_if_empty(pool)

    def _forget_if_empty(self, pool: Pool) -> None:
        if pool.workers or pool.waiting or not pool.outdated:
            return
        if self._pools.get(pool.key) is pool:
            del self._pools[pool.key]

    async def _tell(self, order: Order, end: End) -> None:
        end.ended_ms = self._now_ms()
        self._listener.ended(order, end)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_NOT_STARTED: object = cancelled_before_start()["error"]
"""What a worker says of an attempt that it gives back."""
