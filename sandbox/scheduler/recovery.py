"""The state after a start, or after the store refused a write: what the disk says, and nothing else."""

from __future__ import annotations

import gc

from sandbox.model.status import TaskStatus
from sandbox.scheduler.ready import ReadyTasks
from sandbox.scheduler.taskset import TaskSet
from sandbox.scheduler.timers import DEADLINE_GRACE_S, DeadlineDue, LeaseDue, RetryDue, Timers
from sandbox.store.contract import EventStore


def recover(store: EventStore, timers: Timers, *, now_ms: int, now: float) -> tuple[TaskSet, ReadyTasks]:
    """Read every unended task. Blocking: about 4 µs a task.

    Tasks with a live attempt stay with their shepherd; each such shepherd gets a look at its lease, so that
    one that never comes back doesn't keep them. Their time counts anew from here.
    """
    taskset, ready = TaskSet(), ReadyTasks()
    enabled = gc.isenabled()
    gc.disable()  # a hundred thousand new objects, none of them garbage
    try:
        for domain, key, task_id in store.idempotency_keys():
            taskset.by_key[domain, key] = task_id
        for task in store.load_unfinished():
            taskset.add(task)
            if task.status is TaskStatus.PENDING:
                ready.push(task)
            elif task.status in {TaskStatus.SCHEDULED, TaskStatus.RETRYING}:
                when = now + max(0, task.due_ms - now_ms) / 1000
                timers.add(when, RetryDue(task.task_id, task.attempt))
            elif task.timeout_ms:
                when = now + task.timeout_ms / 1000 + DEADLINE_GRACE_S
                timers.add(when, DeadlineDue(task.task_id, task.attempt))
    finally:
        if enabled:
            gc.enable()
    for shepherd_id in taskset.by_shepherd:
        timers.add(now, LeaseDue(shepherd_id))
    return taskset, ready
