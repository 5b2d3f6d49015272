"""Ended tasks that are kept in memory for a while, so that who waits for them is answered without the disk."""

from __future__ import annotations

from collections import OrderedDict

from sandbox.model.task import EndedTask

_OVERHEAD_BYTES = 600
"""About what an entry costs beside its result."""


class EndedTasks:
    """The newest ended tasks within a budget of bytes and an age; the oldest goes first. The disk keeps them all."""

    def __init__(self, *, keep_ms: int = 3_600_000, budget_bytes: int = 64 * 1024 * 1024) -> None:
        self._keep_ms = keep_ms
        self._budget = budget_bytes
        self._used = 0
        self._kept: OrderedDict[str, EndedTask] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, task_id: str) -> EndedTask | None:
        """The ended task if it is still here."""
        return self._kept.get(task_id)

    def add(self, task: EndedTask) -> None:
        """Keep it, and let go of the oldest that no longer fit."""
        self._kept[task.task_id] = task
        self._used += _size(task)
        too_old = task.ended_ms - self._keep_ms
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if self._used <= self._budget and oldest.ended_ms >= too_old:
                break
            del self._kept[oldest.task_id]
            self._used -= _size(oldest)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._used = 0


def _size(task: EndedTask) -> int:
    return _OVERHEAD_BYTES + len(task.result or "") + len(task.error_message) + len(task.error_data)
