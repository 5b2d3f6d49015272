"""Who waits for which task to end, and who wants to hear of every event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sandbox.model.event import Event
from sandbox.model.task import EndedTask

Heard = Callable[[EndedTask], None]


class Waiters:
    """Implements `sandbox.scheduler.effects.Audience`. Waiting costs nothing while nothing happens.

    `count` is told of every event too: for metrics.
    """

    def __init__(self, count: Callable[[Sequence[Event]], None] | None = None) -> None:
        self._count = count
        self._by_task: dict[str, list[Heard]] = {}
        self._news: set[asyncio.Event] = set()

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._by_task.values())

    def add(self, task_id: str, heard: Heard) -> None:
        """Call `heard` once when that task has ended."""
        self._by_task.setdefault(task_id, []).append(heard)

    def remove(self, task_id: str, heard: Heard) -> None:
        """Don't, after all. Harmless if it was called already."""
        waiting = self._by_task.get(task_id)
        if waiting is not None and heard in waiting:
            waiting.remove(heard)
            if not waiting:
                del self._by_task[task_id]

    def ended(self, tasks: Sequence[EndedTask]) -> None:
        if not self._by_task:
            return
        for task in tasks:
            for heard in self._by_task.pop(task.task_id, ()):
                heard(task)

    def listen(self) -> asyncio.Event:
        """An event that is set whenever something was appended; give it back with `leave`."""
        event = asyncio.Event()
        self._news.add(event)
        return event

    def leave(self, event: asyncio.Event) -> None:
        """No more news to that one."""
        self._news.discard(event)

    def news(self, events: Sequence[Event]) -> None:
        if self._count is not None:
            # After those who wait for their answers have got them.
            asyncio.get_running_loop().call_soon(self._count, events)
        for listener in self._news:
            listener.set()
