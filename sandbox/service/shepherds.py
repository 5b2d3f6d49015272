"""The shepherds as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.dispatch.shepherds import Shepherds
from sandbox.scheduler.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdView:
    """One shepherd that was heard of since the orchestrator started."""

    shepherd_id: str
    host: str
    pid: int
    version: str
    queue: str
    domains: str
    """`*` or the one domain that it serves."""
    connected: bool
    running: int
    """Live attempts: running, and waiting in it."""
    max_concurrency: int
    window: int
    epoch: int
    last_seen_ms: int
    tasks: tuple[str, ...]
    """The task names that it offers."""
    labels: Mapping[str, str]


class ShepherdService:
    """Look at shepherds."""

    def __init__(self, shepherds: Shepherds, engine: Engine) -> None:
        self._shepherds = shepherds
        self._engine = engine

    def list(self) -> list[ShepherdView]:
        """Connected ones first, then by host."""
        views = [
            ShepherdView(
                shepherd_id=known.info.shepherd_id,
                host=known.info.host,
                pid=known.info.pid,
                version=known.info.version,
                queue=known.info.queue,
                domains="*" if known.info.all_domains else known.info.domain,
                connected=known.connection is not None,
                running=self._engine.taskset.in_flight(known.info.shepherd_id),
                max_concurrency=known.info.max_concurrency,
                window=known.info.window,
                epoch=known.info.epoch,
                last_seen_ms=known.last_seen_ms,
                tasks=tuple(sorted(known.offers)),
                labels=known.info.labels,
            )
            for known in self._shepherds.known.values()
        ]
        return sorted(views, key=lambda view: (not view.connected, view.host, view.shepherd_id))
