"""Runs the steps of an attempt in their order, and undoes them in reverse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from shepherd.attempts.attempt import Attempt
from shepherd.attempts.steps import Step
from shepherd.tiers.outcomes import stopped
from shepherd.wire.payload import End, Outcome

_log = structlog.get_logger(__name__)


class Runner:
    """For attempts with a process of their own."""

    def __init__(self, steps: Sequence[Step], now_ms: Callable[[], int]) -> None:
        self._steps = tuple(steps)
        self._now_ms = now_ms

    async def run(self, attempt: Attempt) -> End:
        """From nothing to the end, which always comes: what goes wrong on our side makes the attempt lost."""
        attempt.started_ms = self._now_ms()
        taken: list[Step] = []
        end: End | None = None
        for step in self._steps:
            taken.append(step)
            try:
                end = await step.do(attempt)
            except Exception as error:  # noqa: BLE001 - a bug or a full disk of ours must not lose the attempt
                _log.exception("a step of an attempt failed", attempt=attempt.key, step=step.name)
                end = _our_fault(attempt, step.name, error)
            if end is not None:
                break
        if end is None:
            raise ValueError("the last step must end the attempt")
        return await self._undo(attempt, taken, end)

    async def resume(self, attempt: Attempt, end: End) -> End:
        """Undo all steps of an attempt that an earlier shepherd began."""
        return await self._undo(attempt, list(self._steps), end)

    async def _undo(self, attempt: Attempt, taken: list[Step], end: End) -> End:
        for step in reversed(taken):
            try:
                await step.undo(attempt, end)
            except Exception as error:  # noqa: BLE001 - the other steps must be undone, and the end told
                _log.exception("a step of an attempt can't be undone", attempt=attempt.key, step=step.name)
                note = f"{step.name}: {error}"
                end.left_behind = f"{end.left_behind}, {note}" if end.left_behind else note
        end.isolation = attempt.tier.name
        end.ended_ms = end.ended_ms or self._now_ms()
        return end


def _our_fault(attempt: Attempt, step: str, error: Exception) -> End:
    end = stopped(Outcome.LOST, f"the shepherd failed at the step {step}: {error}", attempt.tier.name)
    end.error_type = "ShepherdFailed"
    return end
