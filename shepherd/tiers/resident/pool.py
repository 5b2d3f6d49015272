"""The warm workers of one module, and the attempts that wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from shepherd.definitions import TaskDefinition
from shepherd.tiers.contract import Order
from shepherd.tiers.resident.pace import Pace
from shepherd.tiers.resident.worker import Phase, ResidentWorker

PARALLEL = 64
"""Attempts that run at once in a worker of async tasks."""


class PoolKey(NamedTuple):
    """Tasks with the same key can share a worker."""

    module_path: Path
    digest: str
    is_async: bool
    environment: tuple[tuple[str, str], ...]
    limit_mem: int | None
    nice: int | None

    @classmethod
    def of(cls, definition: TaskDefinition) -> PoolKey:
        """Where a Python task belongs."""
        service = definition.service
        return cls(
            module_path=definition.module_path or definition.source,
            digest=definition.digest,
            is_async=definition.is_async,
            environment=tuple(definition.environment.items()),
            limit_mem=service.limit_mem,
            nice=service.nice,
        )


class Pool:
    """State only; :class:`shepherd.tiers.resident.tier.ResidentTier` decides."""

    def __init__(self, key: PoolKey, definition: TaskDefinition) -> None:
        self.key = key
        self.definition = definition
        """One of those that share it; they have the same module and environment."""
        self.pace = Pace()
        self.waiting: deque[Order] = deque()
        self.workers: list[ResidentWorker] = []
        self.failed_starts = 0
        """Workers that died one after another before they were ready."""
        self.outdated = False

    @property
    def depth(self) -> int:
        """How many attempts a worker may hold now."""
        return PARALLEL if self.key.is_async else self.pace.depth

    def holder(self, order: Order) -> ResidentWorker | None:
        """The worker that has it."""
        for worker in self.workers:
            if worker.held.get(order.key) is order:
                return worker
        return None

    def freest(self) -> ResidentWorker | None:
        """The ready worker with the most room; None if all are full. Of equals the first, which stays warm.

        One that is known to run something long, one by one, has no room: who goes there waits for nobody knows how long.
        """
        best, held = None, self.depth
        for worker in self.workers:
            if worker.one_by_one and worker.known_running is not None:
                continue
            if worker.phase is Phase.READY and len(worker.held) < held:
                best, held = worker, len(worker.held)
        return best

    def starting(self) -> int:
        """Workers that aren't ready yet."""
        return sum(worker.phase is Phase.STARTING for worker in self.workers)

    def serving(self) -> Iterator[ResidentWorker]:
        """Workers that take attempts, or will."""
        return (worker for worker in self.workers if worker.phase in (Phase.STARTING, Phase.READY))

    def take(self, most: int) -> list[Order]:
        """The next orders that wait, at most so many."""
        if most >= len(self.waiting):
            taken = list(self.waiting)
            self.waiting.clear()
            return taken
        taken = list(islice(self.waiting, most))
        for _ in taken:
            self.waiting.popleft()
        return taken
