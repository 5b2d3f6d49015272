"""Pending tasks, in the order in which they are to go: by priority, then by time.

There is one line per domain and queue, so that a long line never hides a short one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from sandbox.model.status import TaskStatus
from sandbox.model.task import Task

Line = tuple[str, str]
"""Domain and queue."""


class ReadyLine:
    """The pending tasks of one domain and queue."""

    def __init__(self) -> None:
        self._by_priority: dict[int, deque[Task]] = {}
        self._priorities: list[int] = []

    def push(self, task: Task) -> None:
        """At the end of its priority."""
        waiting = self._by_priority.get(task.priority)
        if waiting is None:
            waiting = self._by_priority[task.priority] = deque()
            self._priorities = sorted(self._by_priority, reverse=True)
        waiting.append(task)

    def pop(self) -> Task | None:
        """The next task that is still pending, or None when the line is empty."""
        while self._priorities:
            first = self._priorities[0]
            waiting = self._by_priority[first]
            while waiting:
                task = waiting.popleft()
                if task.status is TaskStatus.PENDING:
                    return task
            del self._by_priority[first]
            del self._priorities[0]
        return None

    def position(self, task: Task) -> int | None:
        """How many pending tasks go before it; None if it isn't here. Linear: for `why`, not for dispatch."""
        ahead = 0
        for priority in self._priorities:
            for waiting in self._by_priority[priority]:
                if waiting is task:
                    return ahead
                ahead += waiting.status is TaskStatus.PENDING
        return None

    def __bool__(self) -> bool:
        return any(self._by_priority.values())

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._by_priority.values())


class ReadyTasks:
    """All lines. A line that has run empty is dropped when it is next looked at."""

    def __init__(self) -> None:
        self._lines: dict[Line, ReadyLine] = {}

    def push(self, task: Task) -> None:
        """Put a pending task into its line."""
        key = (task.domain, task.queue)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = ReadyLine()
        line.push(task)

    def lines(self) -> Iterator[tuple[Line, ReadyLine]]:
        """Every line with somebody in it."""
        for key, line in list(self._lines.items()):
            if line:
                yield key, line
            else:
                del self._lines[key]

    def line(self, domain: str, queue: str) -> ReadyLine | None:
        """One line, if anything waits or waited in it."""
        return self._lines.get((domain, queue))

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def __bool__(self) -> bool:
        return any(self._lines.values())
