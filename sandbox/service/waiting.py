"""Wait for tasks to end: one, or many in the order in which they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from sandbox.dispatch.waiters import Waiters
from sandbox.model.clock import Clock
from sandbox.model.task import EndedTask
from sandbox.scheduler.engine import Engine
from sandbox.service.missing import check_domain, not_found
from sandbox.store.contract import TaskReader


class Waiting:
    """Looks in memory, then on disk, and else waits to be told; an end between the two is not missed."""

    def __init__(self, engine: Engine, reader: TaskReader, waiters: Waiters, clock: Clock) -> None:
        self._engine = engine
        self._reader = reader
        self._waiters = waiters
        self._clock = clock

    async def wait(self, task_id: str, timeout_s: float | None, *, domain: str | None = None) -> EndedTask | None:
        """The ended task; None if it has not ended in time. TaskNotFound: there is none (in that domain)."""
        ended = await self._ended_or_none(task_id, domain)
        if ended is not None or timeout_s == 0:
            return ended
        future: asyncio.Future[EndedTask] = asyncio.get_running_loop().create_future()

        def heard(task: EndedTask) -> None:
            if not future.done():
                future.set_result(task)

        self._waiters.add(task_id, heard)
        try:
            ended = await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return None
        finally:
            self._waiters.remove(task_id, heard)
        check_domain(ended, domain)
        return ended

    async def _ended_or_none(self, task_id: str, domain: str | None) -> EndedTask | None:
        """The ended task, or None if it has yet to end. Never both looked for on disk and missed in memory."""
        engine = self._engine
        while True:
            task = engine.taskset.get(task_id)
            if task is not None:
                check_domain(task, domain)
                return None
            if engine.is_unended(task_id):
                return None
            ended = engine.ended_task(task_id) or await self._reader.ended(task_id)
            if ended is not None:
                check_domain(ended, domain)
                return ended
            if engine.taskset.get(task_id) is None and not engine.is_unended(task_id):
                raise not_found(task_id)

    async def in_batches(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[list[EndedTask]]:
        """Each task once, those that ended together in one list; stops early when the time is over.

        TaskNotFound if one is unknown.
        """
        arrived: list[EndedTask] = []
        something = asyncio.Event()

        def heard(task: EndedTask) -> None:
            arrived.append(task)
            something.set()

        wanted = dict.fromkeys(task_ids)
        try:
            for task_id in wanted:
                ended = None
                if not self._engine.is_unended(task_id):
                    ended = await self._ended_or_none(task_id, None)
                if ended is not None:
                    heard(ended)
                else:
                    self._waiters.add(task_id, heard)
            left = len(wanted)
            deadline = None if timeout_s is None else self._clock.monotonic() + timeout_s
            while left:
                # Not one timeout around it all: between two batches the caller's code runs.
                remaining = None if deadline is None else deadline - self._clock.monotonic()
                if not arrived:
                    try:
                        await asyncio.wait_for(something.wait(), remaining)
                    except TimeoutError:
                        return
                something.clear()
                batch, arrived[:] = list(arrived), []
                left -= len(batch)
                yield batch
        finally:
            for task_id in wanted:
                self._waiters.remove(task_id, heard)
