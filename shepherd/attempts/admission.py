"""From an assignment to an attempt that can be started, or the end that says why it can't."""

from __future__ import annotations

from shepherd.attempts.attempt import Attempt
from shepherd.attempts.steps.definition import Definitions, check_input
from shepherd.definitions import TaskDefinition
from shepherd.errors import TierUnavailable
from shepherd.tiers.choose import TierChooser
from shepherd.tiers.contract import IsolationTier
from shepherd.tiers.outcomes import Refused, refused
from shepherd.wire.payload import Assignment


class Admission:
    """Looks up what a task means, and which tier it gets. `grace_s`: where its definition says nothing."""

    def __init__(self, definitions: Definitions, chooser: TierChooser, grace_s: float) -> None:
        self.definitions = definitions
        self.chooser = chooser
        self._grace_s = grace_s

    def admit(self, assignment: Assignment) -> Attempt:
        """The attempt. Raises `Refused`."""
        definition = self.definitions.find(assignment)
        check_input(assignment)
        tier = self._tier(definition)
        if definition.labels:
            assignment.labels = {**definition.labels, **assignment.labels}
        service = definition.service
        return Attempt(
            key=f"{assignment.task_id}:{assignment.attempt}",
            assignment=assignment,
            definition=definition,
            tier=tier,
            time_limit_s=_shorter(assignment.timeout_ms / 1000 or None, service.max_time),
            grace_s=self._grace_s if service.grace is None else service.grace,
        )

    def _tier(self, definition: TaskDefinition) -> IsolationTier:
        try:
            return self.chooser.choose(definition)
        except TierUnavailable as error:
            remaining = f"; this host has {', '.join(error.remaining)}" if error.remaining else ""
            message = f"{error.what}: {error.missing}; {error.hint}{remaining}"
            raise Refused(refused("IsolationUnavailable", message)) from error


def _shorter(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
