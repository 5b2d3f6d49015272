"""Run by test_kill: commits groups and says which, until it is killed. Its argument is the database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.errors import StoreError
from sandbox.model.event import TaskCreated
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import WriteGroup
from sandbox.store.sqlite import SqliteStore


def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    store.open()
    start = int(sys.argv[2])
    previous: list[Task] = []
    number = start
    while True:
        created = [
            Task(
                task_id=f"{number + at:08d}",
                domain="default",
                queue="default",
                name="count",
                status=TaskStatus.PENDING,
                created_ms=1,
                args=f'["{"x" * (37 * (number + at) % 3_000)}"]',
                kwargs="{}",
            )
            for at in range(1 + number % 7)
        ]
        ended = [
            EndedTask(task_id=task.task_id, domain="default", status=TaskStatus.SUCCEEDED, attempt=1, ended_ms=2)
            for task in previous[1:]
        ]
        events = [TaskCreated(time_ms=1, task_id=task.task_id, name="count", queue="default") for task in created]
        said = f"+{' +'.join(task.task_id for task in created)} {' '.join(f'-{task.task_id}' for task in ended)}\n"

        def done(error: StoreError | None, said: str = said) -> None:
            if error is None:
                os.write(1, said.encode())

        store.write(WriteGroup(events=events, created=created, ended=ended), done)
        if store.stats().waiting_groups > 20:
            store.add_domain(f"waits for the writer {number}")
        previous = created
        number += len(created)


main()
