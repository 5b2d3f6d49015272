"""Step: hand the attempt to its tier, and wait for its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shepherd.attempts.attempt import Attempt, Reporter
from shepherd.attempts.journal import Journal
from shepherd.attempts.steps.logs import close_output
from shepherd.tiers.contract import Order, Place
from shepherd.tiers.outcomes import stopped
from shepherd.tiers.process import ProcessTier
from shepherd.wire.payload import End, Outcome


class ExecuteStep:
    """Also the listener of the tier: it hears the ends and wakes who waits for them."""

    name = "execute"

    def __init__(self, journal: Journal, reporter: Reporter, now_ms: Callable[[], int]) -> None:
        self._journal = journal
        self._now_ms = now_ms
        self._reporter = reporter
        self._waiting: dict[Order, asyncio.Future[End]] = {}

    async def do(self, attempt: Attempt) -> End | None:
        if attempt.stop is not None:
            return stopped(attempt.stop, attempt.stop_reason, attempt.tier.name)
        if attempt.folder is None or attempt.output is None:
            raise ValueError("work folder and logs come before the execution")
        attempt.place = Place(
            folder=attempt.folder,
            control=attempt.folder / "control",
            work=attempt.folder / "work",
            environment=attempt.environment,
            stdout_fd=attempt.output[0],
            stderr_fd=attempt.output[1],
        )
        try:
            self._journal.begin(attempt)
        except OSError as error:
            return stopped(Outcome.LOST, f"the journal can't be written: {error.strerror}", attempt.tier.name)
        ended = self._waiting[attempt] = asyncio.get_running_loop().create_future()
        attempt.tier.start(attempt)
        close_output(attempt)
        return await ended

    async def adopt(self, attempt: Attempt, tier: ProcessTier, pid: int | None) -> End:
        """Wait for the end of an attempt that an earlier shepherd started."""
        ended = self._waiting[attempt] = asyncio.get_running_loop().create_future()
        tier.adopt(attempt, pid, attempt.started_ms)
        return await ended

    async def undo(self, attempt: Attempt, end: End) -> None:
        del attempt, end  # the tier has ended all of it

    def started(self, order: Order, started_ms: int) -> None:
        self._reporter.attempt_started(order.assignment.task_id, order.assignment.attempt, started_ms)

    def ended(self, order: Order, end: End) -> None:
        future = self._waiting.pop(order)
        if not future.done():
            future.set_result(end)

    def heartbeat(self, order: Order, note: str) -> None:
        task = order.assignment
        self._reporter.attempt_heartbeat(task.task_id, task.attempt, self._now_ms(), note)
