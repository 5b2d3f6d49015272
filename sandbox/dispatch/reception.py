"""A shepherd comes, says what it has, and goes: what that means for its attempts.

- An attempt that it was given and doesn't have any more is lost, at once; no lease need run out.
- An attempt that it has and that is not its live one is refused: it ends it and reports nothing.
- An Azolla shepherd doesn't say what it has: what it was sent counts as there, what never reached it is lost.
- A stream that ends changes nothing by itself; the lease goes on.
"""

from __future__ import annotations

import structlog

from sandbox.dispatch.connection import Connection
from sandbox.dispatch.shepherds import Shepherds
from sandbox.errors import NotAllowed
from sandbox.model.clock import Clock
from sandbox.model.event import ShepherdConnected, ShepherdLeft
from sandbox.scheduler.engine import Engine

_log = structlog.stdlib.get_logger("sandbox.dispatch")


class Reception:
    """Between the transport of shepherds and the engine."""

    def __init__(self, shepherds: Shepherds, engine: Engine, clock: Clock) -> None:
        self._shepherds = shepherds
        self._engine = engine
        self._clock = clock

    def welcome(self, connection: Connection) -> list[tuple[str, int]]:
        """Take a shepherd in; the standing attempts that it is to end. NotAllowed: a newer start of it is known."""
        info = connection.info
        earlier = self._shepherds.known.get(info.shepherd_id)
        if earlier is not None and info.epoch < earlier.info.epoch:
            raise NotAllowed(
                "This start of the shepherd is over",
                subject=info.shepherd_id,
                why=f"epoch {info.epoch} came after epoch {earlier.info.epoch}",
                hint="two shepherds share one state folder: give each its own",
            )
        before = self._shepherds.connect(connection)
        if before is not None:
            before.close("the same shepherd has connected again")
        if info.speaks_extensions:
            refused = self._compare(connection)
        else:
            refused = []
            self._compare_sent(info.shepherd_id, first=earlier is None)
        _log.info("shepherd connected", shepherd=info.shepherd_id, host=info.host, standing=len(info.standing))
        self._engine.append(
            ShepherdConnected(
                time_ms=self._clock.now_ms(),
                shepherd_id=info.shepherd_id,
                epoch=info.epoch,
                queue=info.queue,
                host=info.host,
                version=info.version,
            )
        )
        self._engine.watch_lease(info.shepherd_id)
        self._engine.places_freed()
        return refused

    def _compare(self, connection: Connection) -> list[tuple[str, int]]:
        info = connection.info
        taskset = self._engine.taskset
        standing = set(info.standing)
        for task in list(taskset.running_on(info.shepherd_id)):
            if (task.task_id, task.attempt) in standing:
                if task.cancel_requested:
                    connection.send_cancel(task.task_id, task.attempt, "cancelled while the connection was gone")
            else:
                self._engine.lose(task, "its shepherd came back without it")
        refused: list[tuple[str, int]] = []
        for task_id, attempt in info.standing:
            task = taskset.get(task_id)
            if task is None or task.attempt != attempt or task.shepherd_id != info.shepherd_id:
                refused.append((task_id, attempt))
        return refused

    def _compare_sent(self, shepherd_id: str, *, first: bool) -> None:
        running = self._engine.taskset.running_on(shepherd_id)
        sent = self._shepherds.known[shepherd_id].sent
        if first:  # since the orchestrator started: what it was sent before that isn't known any more
            sent.update((task.task_id, task.attempt) for task in running)
        for task in running:
            if sent.get(task.task_id) != task.attempt:
                self._engine.lose(task, "the connection ended before its shepherd was told of it")
            elif task.cancel_requested:
                self._engine.cancel(task, "")  # the orchestrator ended before it could count the attempt as over

    def goodbye(self, connection: Connection, why: str) -> None:
        """Its stream has ended."""
        if self._shepherds.disconnect(connection):
            shepherd_id = connection.info.shepherd_id
            _log.info("shepherd left", shepherd=shepherd_id, why=why)
            self._engine.append(ShepherdLeft(time_ms=self._clock.now_ms(), shepherd_id=shepherd_id, reason=why))
            self._engine.watch_lease(shepherd_id)
