"""The work of the tour, all of it tasks: count every module, pack the results, write the report."""

from __future__ import annotations

import asyncio
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from modules import BROKEN_NAME, Module, library
from screen import Screen, Watch

from sandbox.client import AsyncClient, Submission
from sandbox.model.status import TaskStatus

FOLLOWERS = 3
"""So many logs are followed at a time while the tasks run."""
AHEAD = 6
"""Follow a task that is so far from its turn: what is nearer has ended before the request is there."""


@dataclass(slots=True)
class Counted:
    """What came of the tasks that count modules."""

    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    tasks: int = 0
    retries: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Tasks a second."""
        return self.tasks / self.seconds if self.seconds else 0.0

    @property
    def broken(self) -> str:
        """The task of the module that can't be parsed."""
        return next((f["task_id"] for f in self.failures if f["module"] == BROKEN_NAME), "")

    @property
    def unexpected(self) -> list[dict[str, str]]:
        """Failures that nobody planned."""
        return [f for f in self.failures if f["module"] != BROKEN_NAME]


async def count_modules(client: AsyncClient, modules: Sequence[Module], screen: Screen) -> Counted:
    """Submit a task for each module, in one batch, and wait for all of them."""
    began = time.monotonic()
    submissions = [
        Submission(name="census-module", args=[module.name, str(module.path)], labels={"tour": "census"})
        for module in modules
    ]
    handles = await client.submit_many(submissions)
    ids = [handle.task_id for handle in handles]
    names = dict(zip(ids, (module.name for module in modules), strict=True))
    counted = Counted(tasks=len(ids))
    with screen.watching(len(ids)) as watch:
        waiting, seen = dict(names), set[str]()
        followers = [asyncio.create_task(_follow(client, watch, names, waiting, seen)) for _ in range(FOLLOWERS)]
        try:
            async for ended in client.as_completed(handles):
                del waiting[ended.task_id]
                counted.retries += ended.attempt - 1
                if ended.status is TaskStatus.SUCCEEDED:
                    counted.results.append(json.loads(ended.result or "null"))
                else:
                    error = f"{ended.error_type}: {ended.error_message}"
                    failure = {"module": names[ended.task_id], "error": error, "task_id": ended.task_id}
                    counted.failures.append(failure)
                watch.ended(len(ids) - len(waiting))
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
    counted.seconds = time.monotonic() - began
    counted.results.sort(key=lambda result: str(result["module"]))
    return counted


async def _follow(
    client: AsyncClient, watch: Watch, names: dict[str, str], waiting: dict[str, str], seen: set[str]
) -> None:
    """Show the log of one task after another while it is written, always of one that is about to start."""
    while True:
        task_id = next((task_id for task_id in islice(waiting, AHEAD, None) if task_id not in seen), None)
        if task_id is None:
            return
        seen.add(task_id)
        async for entry in client.logs(task_id, follow=True):
            watch.line(names[task_id], entry.data.decode(errors="replace").rstrip("\n"))


async def pack(client: AsyncClient, counted: Counted, folder: Path) -> dict[str, Any]:
    """Have the results packed by a task that is a shell script. Raises TaskFailed."""
    handle = await client.submit("census-archive", [str(folder / "census.tar.gz")], {"results": counted.results})
    return await handle.result()


async def report(client: AsyncClient, counted: Counted, folder: Path) -> dict[str, Any]:
    """Have everything reduced to the report. Raises TaskFailed."""
    facts = {
        "Python": f"{platform.python_version()} in {library()}",
        "Counted": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "By": f"{counted.tasks} tasks in {counted.seconds:.1f} s with {counted.retries} retries, {counted.rate:.0f} a second",
    }
    handle = await client.submit(
        "census-report",
        kwargs={
            "modules": counted.results,
            "failures": counted.failures,
            "facts": facts,
            "folder": str(folder),
        },
    )
    return await handle.result()
