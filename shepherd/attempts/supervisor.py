"""All attempts of this shepherd: taken in, started within the capacity, cancelled, handed back, told.

Attempts at a tier with warm workers go straight there: no step, no file, no asyncio task for one that prints nothing.
Those that need a process of their own wait here for a free place, and go through the steps of the runner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

from logsinks.errors import LogSinkError
from shepherd.attempts.admission import Admission
from shepherd.attempts.attempt import Attempt, AttemptPhase, Reporter
from shepherd.attempts.journal import Journal
from shepherd.attempts.runner import Runner
from shepherd.attempts.steps.logs import LogCapture
from shepherd.tiers.contract import Order
from shepherd.tiers.outcomes import Refused, stopped
from shepherd.wire.payload import Assignment, End, Log, Outcome

LAST_GRACE_S = 1.0
"""So long have attempts after their kill signal, when the shepherd's own grace is over."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Knows every attempt that is held here. Not thread-safe: lives on the event loop."""

    def __init__(
        self,
        *,
        admission: Admission,
        runner: Runner,
        journal: Journal,
        capture: LogCapture,
        reporter: Reporter,
        now_ms: Callable[[], int],
        max_concurrency: int,
    ) -> None:
        self._admission = admission
        self._definitions = admission.definitions
        self._chooser = admission.chooser
        self._runner = runner
        self._journal = journal
        self._capture = capture
        self._reporter = reporter
        self._now_ms = now_ms
        self._places = max_concurrency
        self._held: dict[str, Attempt] = {}
        """By task id: one live attempt of a task at a time."""
        self._waiting: deque[Attempt] = deque()
        self._in_places: set[Attempt] = set()
        self._closing = False
        self._paused = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._tasks: set[asyncio.Task[None]] = set()

    # What the link asks.

    @property
    def held(self) -> int:
        """Attempts that are here and have not ended."""
        return len(self._held)

    def standing(self) -> list[tuple[str, int]]:
        """Task ids and numbers of all that are here, except those that nobody wants."""
        return [(task_id, each.assignment.attempt) for task_id, each in self._held.items() if not each.unwanted]

    def accept(self, assignments: Iterable[Assignment]) -> None:
        """Take attempts in. One that is here already is not taken twice; a later one of the same task waits for it."""
        self._definitions.look_if_due()
        for assignment in assignments:
            held = self._held.get(assignment.task_id)
            if held is None:
                self._admit(assignment)
            elif assignment.attempt > held.assignment.attempt:
                held.successor = assignment
                self._drop(held)

    def cancel(self, task_id: str, attempt: int, reason: str) -> None:
        """End an attempt as cancelled; nothing happens if it isn't here (its end is on the way)."""
        held = self._held.get(task_id)
        if held is not None and held.assignment.attempt == attempt:
            self._stop(held, Outcome.CANCELLED, reason)

    def refuse(self, keys: Iterable[tuple[str, int]]) -> None:
        """The orchestrator doesn't want these any more: end them, tell nothing."""
        for task_id, attempt in keys:
            held = self._held.get(task_id)
            if held is not None and held.assignment.attempt == attempt:
                self._drop(held)
            else:
                self._journal.forget(task_id, attempt)

    def acknowledged(self, task_id: str, attempt: int) -> None:
        """The orchestrator has the end on disk."""
        self._journal.forget(task_id, attempt)

    def pause(self) -> None:
        """Give back all that has not started, and what comes from now on."""
        self._paused = True
        waiting = list(self._waiting)
        self._waiting.clear()
        for order in (*waiting, *self._withdrawn()):
            self._finish(self._held[order.assignment.task_id], stopped_before_start())

    def resume(self) -> None:
        """Take attempts again, unless the shepherd itself is about to end."""
        self._paused = False

    # The life of the shepherd.

    def adopt(self, attempt: Attempt, ending: Coroutine[Any, Any, End]) -> None:
        """Take over an attempt of an earlier start; `ending` waits for its end."""
        self._held[attempt.assignment.task_id] = attempt
        self._empty.clear()
        attempt.phase = AttemptPhase.RUNNING
        self._in_places.add(attempt)
        self._later(self._resume(attempt, ending))

    def definitions_changed(self) -> None:
        """Task files have changed: what has not started is looked up again."""
        self._chooser.forget()
        current = self._definitions.catalog.definitions()
        for tier in self._chooser.tiers():
            for order in tier.keep(current):
                self._admit_again(order)
        waiting = list(self._waiting)
        self._waiting.clear()
        for attempt in waiting:
            self._admit_again(attempt)

    async def drain(self, grace_s: float, hurry: asyncio.Event) -> None:
        """Take nothing new, hand back what has not started, let the rest run for so long, then end it as lost.

        `hurry`, once set, ends the grace.
        """
        self._closing = True
        self.pause()
        if not await self._empty_within(grace_s, hurry):
            _log.warning("attempts are ended before they have finished", attempts=len(self._held))
        for attempt in list(self._held.values()):
            self._stop(attempt, Outcome.LOST, "its shepherd stopped")
        if not await self._empty_within(LAST_GRACE_S):
            for tier in self._chooser.tiers():
                tier.hurry()
        await self._empty.wait()

    async def _empty_within(self, seconds: float, hurry: asyncio.Event | None = None) -> bool:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._empty, hurry) if event is not None]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self._empty.is_set()

    async def close(self) -> None:
        """After the drain: nothing of ours runs on."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    # Listener of tiers with warm workers.

    def started(self, order: Order, started_ms: int) -> None:
        self._reporter.attempt_started(order.assignment.task_id, order.assignment.attempt, started_ms)

    def heartbeat(self, order: Order, note: str) -> None:
        task = order.assignment
        self._reporter.attempt_heartbeat(task.task_id, task.attempt, self._now_ms(), note)

    def ended(self, order: Order, end: End) -> None:
        held = self._held[order.assignment.task_id]
        if end.log is Log.NONE:
            self._finish(held, end)
        else:
            self._later(self._seal(held, end))

    # Inside.

    def _admit(self, assignment: Assignment) -> None:
        if self._closing or self._paused:
            self._reporter.attempt_ended(assignment.task_id, assignment.attempt, stopped_before_start())
            return
        try:
            attempt = self._admission.admit(assignment)
        except Refused as found:
            found.end.ended_ms = self._now_ms()
            self._reporter.attempt_ended(assignment.task_id, assignment.attempt, found.end)
            return
        self._held[assignment.task_id] = attempt
        self._empty.clear()
        if attempt.tier.fresh:
            self._waiting.append(attempt)
            self._fill()
        else:
            attempt.phase = AttemptPhase.RUNNING
            attempt.tier.start(attempt)

    def _admit_again(self, order: Order) -> None:
        del self._held[order.assignment.task_id]
        self._admit(order.assignment)

    def _fill(self) -> None:
        while self._waiting and len(self._in_places) < self._places:
            attempt = self._waiting.popleft()
            attempt.phase = AttemptPhase.RUNNING
            self._in_places.add(attempt)
            self._later(self._run(attempt))

    async def _run(self, attempt: Attempt) -> None:
        self._finish(attempt, await self._runner.run(attempt))

    async def _resume(self, attempt: Attempt, ending: Coroutine[Any, Any, End]) -> None:
        self._finish(attempt, await self._runner.resume(attempt, await ending))

    async def _seal(self, attempt: Attempt, end: End) -> None:
        task = attempt.assignment
        try:
            ask = self._capture.sealed if end.log is Log.ENDED else self._capture.seal
            sealed = await ask(task.task_id, task.attempt)
        except (LogSinkError, OSError) as error:
            _log.error("a log can't be sealed", attempt=attempt.key, error=str(error))
        else:
            end.log_bytes, end.log_lines = sealed.bytes, sealed.lines
        self._finish(attempt, end)

    def _finish(self, attempt: Attempt, end: End) -> None:
        attempt.phase = AttemptPhase.ENDED
        task = attempt.assignment
        del self._held[task.task_id]
        if attempt.tier.fresh:
            self._in_places.discard(attempt)
            self._fill()
        if attempt.unwanted:
            self._journal.forget(task.task_id, task.attempt)
        else:
            if attempt.tier.fresh:
                self._journal.end(attempt, end)
            self._reporter.attempt_ended(task.task_id, task.attempt, end)
        if attempt.successor is not None:
            self._admit(attempt.successor)
        if not self._held:
            self._empty.set()

    def _drop(self, attempt: Attempt) -> None:
        attempt.unwanted = True
        self._stop(attempt, Outcome.LOST, "the orchestrator doesn't want it any more")

    def _stop(self, attempt: Attempt, outcome: Outcome, reason: str) -> None:
        if attempt.phase is AttemptPhase.WAITING:
            self._waiting.remove(attempt)
            self._finish(attempt, stopped(outcome, reason, attempt.tier.name, ended_ms=self._now_ms()))
            return
        attempt.tier.stop(attempt, outcome, reason)
        if attempt.tier.fresh and attempt.stop is None:
            # On its way to the tier: the step before it looks.
            attempt.stop, attempt.stop_reason = outcome, reason

    def _withdrawn(self) -> list[Order]:
        return [order for tier in self._chooser.tiers() for order in tier.withdraw()]

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def stopped_before_start() -> End:
    """The end of an attempt that is handed back."""
    return End(
        outcome=Outcome.HANDED_BACK, error_type="HandedBack", error_message="its shepherd drains", retriable=True
    )
