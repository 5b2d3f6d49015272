"""One connected shepherd, without the transport: what it said of itself, and what is to be sent to it.

The transport takes what is waiting with `take()` as soon as `wake` tells it to, so many assignments
become one message whenever the network is slower than the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.model.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdInfo:
    """What a shepherd says in its hello."""

    shepherd_id: str
    queue: str
    domain: str
    all_domains: bool = False
    max_concurrency: int = 1
    window: int = 1
    """How many attempts it takes at once, running and waiting in it."""
    speaks_extensions: bool = False
    """An azolla-local shepherd: it takes batches, keeps deadlines, can be asked to cancel."""
    epoch: int = 0
    standing: Sequence[tuple[str, int]] = ()
    """Attempts that it holds, as (task id, attempt)."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    host: str = ""
    pid: int = 0
    version: str = ""

    def serves(self, domain: str, queue: str) -> bool:
        """Whether it takes tasks of that line."""
        return queue == self.queue and (self.all_domains or domain == self.domain)


@dataclass(slots=True)
class ToSend:
    """What one shepherd is to be told next, in the order in which it is best told: acknowledged, tasks, cancels."""

    tasks: list[Task] = field(default_factory=list[Task])
    cancels: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    acked: int | None = None


class Connection:
    """A live stream. `close_with` is set when the orchestrator wants it to end; it says why."""

    def __init__(self, info: ShepherdInfo, wake: Callable[[], None]) -> None:
        self.info = info
        self.drains = False
        """It has handed something back, so it takes nothing more on this stream."""
        self.close_with: str | None = None
        self._wake = wake
        self._to_send = ToSend()
        self._waiting: list[tuple[Task, int]] = []

    def send_tasks(self, attempts: Sequence[tuple[Task, int]]) -> None:
        """Assignments that are on disk, as (task, attempt)."""
        self._waiting.extend(attempts)
        self._wake()

    def send_cancel(self, task_id: str, attempt: int, reason: str) -> None:
        """Ask for the end of an attempt."""
        self._to_send.cancels.append((task_id, attempt, reason))
        self._wake()

    def send_acked(self, sequence: int) -> None:
        """All results up to that batch are on disk."""
        self._to_send.acked = sequence
        self._wake()

    def close(self, why: str) -> None:
        """End the stream; the shepherd may come again."""
        self.close_with = why
        self._wake()

    def take(self) -> ToSend:
        """Everything that waits to be sent; it counts as sent from now on."""
        taken, self._to_send = self._to_send, ToSend()
        waiting, self._waiting = self._waiting, []
        me = self.info.shepherd_id
        # A peer that didn't read for longer than its lease has lost what still waits here.
        taken.tasks = [task for task, attempt in waiting if task.attempt == attempt and task.shepherd_id == me]
        return taken
