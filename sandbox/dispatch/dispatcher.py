"""Pending tasks meet free places. Places are known, not guessed: what was assigned and has not ended is counted here.

Lines (domain and queue) are served in turns of `QUANTUM` tasks, so a long line doesn't make a short one
wait; within a line the shepherd with the most free places gets the next task.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sandbox.dispatch.connection import Connection
from sandbox.dispatch.shepherds import Shepherds
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import Task
from sandbox.scheduler.commands import Assignment
from sandbox.scheduler.ready import Line, ReadyLine, ReadyTasks
from sandbox.scheduler.taskset import TaskSet

QUANTUM = 32


class Dispatcher:
    """Implements `sandbox.scheduler.effects.Dispatch` over the connected shepherds."""

    def __init__(self, shepherds: Shepherds) -> None:
        self._shepherds = shepherds
        self._taskset: TaskSet | None = None
        self._next_line = 0

    def serve(self, taskset: TaskSet) -> None:
        """The state to count live attempts in; called again whenever it was read anew."""
        self._taskset = taskset

    def choose(self, ready: ReadyTasks) -> list[Assignment]:
        """One round: turns of `QUANTUM` a line until the places or the tasks run out."""
        free = {
            connection.info.shepherd_id: places
            for connection in self._shepherds.connected.values()
            if (places := self._places(connection)) > 0
        }
        if not free:
            return []
        chosen: list[Assignment] = []
        open_lines = [(key, line) for key, line in ready.lines()]
        # Start each round at another line, or the first one would always be served first.
        turn = self._next_line % len(open_lines) if open_lines else 0
        self._next_line += 1
        open_lines = open_lines[turn:] + open_lines[:turn]
        while open_lines and free:
            open_lines = [(key, line) for key, line in open_lines if self._turn(key, line, free, chosen) and free]
        return chosen

    def _turn(self, key: Line, line: ReadyLine, free: dict[str, int], chosen: list[Assignment]) -> bool:
        """Give at most QUANTUM tasks of a line to shepherds that serve it; False when the line is done."""
        connected = self._shepherds.connected
        serving = [shepherd_id for shepherd_id in free if connected[shepherd_id].info.serves(*key)]
        for _ in range(QUANTUM):
            if not serving:
                return False
            best = serving[0] if len(serving) == 1 else max(serving, key=free.__getitem__)
            task = line.pop()
            if task is None:
                return False
            chosen.append(Assignment(task.task_id, best))
            free[best] -= 1
            if not free[best]:
                del free[best]
                serving.remove(best)
        return True

    def _places(self, connection: Connection) -> int:
        if connection.drains or connection.close_with is not None or self._taskset is None:
            return 0
        return connection.info.window - self._taskset.in_flight(connection.info.shepherd_id)

    def send(self, assigned: Sequence[tuple[Task, int]]) -> None:
        by_shepherd: defaultdict[str, list[tuple[Task, int]]] = defaultdict(list)
        for task, attempt in assigned:
            if task.attempt == attempt:
                by_shepherd[task.shepherd_id].append((task, attempt))
        for shepherd_id, attempts in by_shepherd.items():
            # One that left meanwhile keeps them until its lease is over, or says in its hello that it has none.
            connection = self._shepherds.connected.get(shepherd_id)
            if connection is not None:
                connection.send_tasks(attempts)

    def cancel(self, task: Task, reason: str) -> bool:
        known = self._shepherds.known.get(task.shepherd_id)
        if known is None or not known.info.speaks_extensions:
            return False
        if known.connection is not None:
            known.connection.send_cancel(task.task_id, task.attempt, reason)
        # Out of reach for the moment: it is told when it comes back (`resume`), or its lease runs out.
        return True

    def offered_policy(self, name: str) -> RetryPolicy | None:
        return self._shepherds.policies.get(name)

    def keeps_deadlines(self, shepherd_id: str) -> bool:
        known = self._shepherds.known.get(shepherd_id)
        return known is not None and known.info.speaks_extensions

    def lease_left(self, shepherd_id: str) -> float:
        return self._shepherds.lease_left(shepherd_id)

    def lost(self, shepherd_id: str) -> None:
        connection = self._shepherds.connected.get(shepherd_id)
        if connection is not None:
            connection.close("nothing was heard of this shepherd for longer than its lease")

    def reset(self) -> None:
        self.close("the orchestrator reads its state anew")

    def close(self, why: str) -> None:
        """End the streams of all shepherds; they come again, and keep what they have until then."""
        for connection in list(self._shepherds.connected.values()):
            connection.close(why)
