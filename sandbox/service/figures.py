"""Counts what happens for the metrics, from the events themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.model.event import AttemptEnded, Event, EventType, TaskEnded
from sandbox.telemetry.metrics import Metrics


class Figures:
    """Called with the events of each commit, in the loop that everything else runs in."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def count(self, events: Sequence[Event]) -> None:
        """The events of one commit, which has just happened."""
        metrics = self._metrics
        created = 0
        for event in events:
            kind = event.type
            if kind is EventType.TASK_CREATED:
                created += 1
            elif isinstance(event, AttemptEnded):
                metrics.attempt_ended(event.outcome)
            elif isinstance(event, TaskEnded):
                metrics.task_ended(event.status)
        if created:
            metrics.tasks_created(created)
