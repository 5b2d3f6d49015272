"""How the orchestrator itself is: its state, its database, its figures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.dispatch.shepherds import Shepherds
from sandbox.dispatch.waiters import Waiters
from sandbox.model.clock import Clock
from sandbox.scheduler.engine import Engine
from sandbox.store.contract import EventStore, SqlAnswer


class UpkeepService:
    """Status, SQL for reading, readiness."""

    def __init__(
        self,
        engine: Engine,
        store: EventStore,
        shepherds: Shepherds,
        waiters: Waiters,
        clock: Clock,
        *,
        facts: dict[str, Any],
        database: Path,
    ) -> None:
        self._engine = engine
        self._store = store
        self._shepherds = shepherds
        self._waiters = waiters
        self._clock = clock
        self._facts = facts
        self._database = database
        self._started_ms = clock.now_ms()

    async def status(self) -> dict[str, Any]:
        """What `azolla-local status` shows of the orchestrator. Times in Unix milliseconds, sizes in bytes."""
        counts = await self._store.reader.counts()
        stats = self._store.stats()
        return {
            **self._facts,
            "started_ms": self._started_ms,
            "uptime_s": (self._clock.now_ms() - self._started_ms) / 1000,
            "tasks": {status.word: count for status, count in sorted(counts.items())},
            "unended": len(self._engine.taskset),
            "ready": len(self._engine.ready),
            "waiting_clients": len(self._waiters),
            "shepherds_connected": len(self._shepherds.connected),
            "database": {
                "path": str(self._database),
                "bytes": self._size(),
                **asdict(stats),
            },
        }

    def _size(self) -> int:
        files = (self._database, self._database.with_name(self._database.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def sql(self, statement: str, limit: int = 1000, seconds: float = 5.0) -> SqlAnswer:
        """The answer to a reading statement. BadFilter if it would write, is wrong, or takes too long."""
        return await self._store.reader.sql(statement, limit=limit, seconds=seconds)

    def ready(self) -> bool:
        """Whether tasks can be created: the state is recovered, which is so whenever anything answers."""
        return True

    def gauges(self) -> dict[str, float]:
        """The present figures for metrics."""
        stats = self._store.stats()
        return {
            "tasks_unended": len(self._engine.taskset),
            "tasks_ready": len(self._engine.ready),
            "shepherds_connected": len(self._shepherds.connected),
            "store_commits": stats.commits,
            "store_rows": stats.rows,
            "store_commit_seconds": stats.commit_s,
            "store_failures": stats.failures,
            "store_wal_bytes": stats.wal_bytes,
        }
