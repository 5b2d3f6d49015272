"""The figures of the orchestrator for Prometheus. docs/environments.md lists them; a test compares.

Counting happens on hot paths, so that nothing here has labels with unbounded values: no task names, no ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sandbox.model.status import AttemptOutcome, TaskStatus

GAUGES = {
    "tasks_unended": "Tasks that have not ended.",
    "tasks_ready": "Tasks that wait for a free place: the depth of the queues.",
    "shepherds_connected": "Shepherds that are connected.",
    "store_commits": "Commits since the start.",
    "store_rows": "Rows written since the start.",
    "store_commit_seconds": "Seconds spent in commits since the start.",
    "store_failures": "Commits that failed since the start.",
    "store_wal_bytes": "Size of the write-ahead log of the database.",
}
"""Figures that are asked for when somebody reads the metrics, by the name without `azolla_`."""


class Metrics:
    """A registry of its own for each orchestrator, so that two in one process don't meet.

    `gauges` is called at each reading; it gives present figures by the names of `GAUGES`. Names that aren't in there
    are left out.
    """

    def __init__(self, gauges: Callable[[], dict[str, float]] | None = None) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        registry = self._registry
        self._created = Counter("azolla_tasks_created", "Tasks created.", registry=registry)
        ended = Counter("azolla_tasks_ended", "Tasks that ended, by status.", ["status"], registry=registry)
        self._ended = {status: ended.labels(status.word) for status in TaskStatus if status.ended}
        attempts = Counter("azolla_attempts_ended", "Attempts that ended, by outcome.", ["outcome"], registry=registry)
        self._attempts = {outcome: attempts.labels(outcome.word) for outcome in AttemptOutcome}
        if gauges is not None:
            registry.register(_Gauges(gauges))

    def tasks_created(self, count: int = 1) -> None:
        """So many tasks were created."""
        self._created.inc(count)

    def task_ended(self, status: TaskStatus) -> None:
        """A task ended so."""
        self._ended[status].inc()

    def attempt_ended(self, outcome: AttemptOutcome) -> None:
        """An attempt ended so."""
        self._attempts[outcome].inc()

    def render(self) -> bytes:
        """All of it in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    """Asks for the present figures when they are read."""

    def __init__(self, gauges: Callable[[], dict[str, float]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        figures = self._gauges()
        for name, meaning in GAUGES.items():
            if name in figures:
                yield GaugeMetricFamily(f"azolla_{name}", meaning, value=figures[name])
