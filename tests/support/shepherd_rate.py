"""How many attempts a second a shepherd runs, and what one costs it: `python -m tests.support.shepherd_rate`.

A real shepherd process against the small orchestrator of the tests. Prints the rate and the CPU time per attempt of each
process. `--profile FILE` profiles the shepherd with cProfile; `--task` takes noop, async_noop, speak or fresh.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop

from shepherd.wire.messages import Task, TaskResult
from tests.support.fake_orchestrator import FakeOrchestrator

TASKS = """
from shepherd.definitions import task

@task(isolation="resident")
def noop():
    return None

@task(isolation="resident")
async def async_noop():
    return None

@task(isolation="resident")
def speak():
    print("one line")

@task(isolation="process")
def fresh():
    return None
"""


class Load:
    """Keeps so many attempts in flight until all have ended."""

    def __init__(self, fake: FakeOrchestrator, name: str, total: int, in_flight: int) -> None:
        self._fake = fake
        self._name = name
        self._total = total
        self._in_flight = in_flight
        self._sent = 0
        self._ended = 0
        self.failed = 0
        self.done = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        fake.on_results = self._results

    async def run(self) -> float:
        began = time.perf_counter()
        await self._send(self._in_flight)
        await self.done.wait()
        return time.perf_counter() - began

    async def _send(self, count: int) -> None:
        count = min(count, self._total - self._sent)
        if count > 0:
            first = self._sent
            self._sent += count
            await self._fake.assign(
                *(
                    Task(task_id=f"{self._name}-{n:08d}", attempt=1, name=self._name, args="[]", kwargs="{}")
                    for n in range(first, first + count)
                )
            )

    def _results(self, results: list[TaskResult]) -> None:
        self._fake.results.clear()
        self._ended += len(results)
        self.failed += sum(each.WhichOneof("result_type") != "success" for each in results)
        if self._ended >= self._total:
            self.done.set()
        task = asyncio.ensure_future(self._send(len(results)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Start, warm up, measure, stop."""
    (folder / "tasks").mkdir()
    (folder / "tasks" / "rate_tasks.py").write_text(TASKS)
    config = folder / "shepherd.json"
    async with FakeOrchestrator() as fake:
        config.write_text(
            json.dumps(
                {
                    "orchestrator": fake.address,
                    "state": str(folder / "state"),
                    "tasks": [str(folder / "tasks")],
                    "resident_workers": options.workers,
                    "sinks": [{"name": "local", "url": f"file://{folder}/logs"}],
                }
            )
        )
        profile = ["-m", "cProfile", "-o", options.profile] if options.profile else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, *profile, "-m", "shepherd", "--config", str(config)
        )
        await fake.until(lambda: fake.hellos)
        await Load(fake, options.task, min(500, options.total), 64).run()
        shepherd = psutil.Process(process.pid)
        helpers = shepherd.children(recursive=True)
        before = {each.pid: sum(each.cpu_times()[:2]) for each in (shepherd, *helpers, psutil.Process())}
        load = Load(fake, options.task, options.total, options.in_flight)
        seconds = await load.run()
        print(f"{options.total / seconds:8.0f} attempts/s, {load.failed} failed")
        for each, name in ((shepherd, "shepherd"), (psutil.Process(), "orchestrator of the test")):
            print(
                f"{(sum(each.cpu_times()[:2]) - before[each.pid]) / options.total * 1e6:8.0f} µs CPU an attempt: {name}"
            )
        for each in helpers:
            if each.is_running():
                used = (sum(each.cpu_times()[:2]) - before[each.pid]) / options.total * 1e6
                print(f"{used:8.0f} µs CPU an attempt: {' '.join(each.cmdline())[-60:]}")
        await latency(fake, options.task)
        print(f"{shepherd.memory_info().rss / 2**20:8.1f} MiB: memory of the shepherd")
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def latency(fake: FakeOrchestrator, name: str) -> None:
    """One at a time, idle."""
    spent: list[float] = []
    for n in range(200 if name != "fresh" else 20):
        ended = asyncio.Event()

        def on_results(results: list[TaskResult], ended: asyncio.Event = ended) -> None:
            ended.set()

        fake.on_results = on_results
        began = time.perf_counter()
        await fake.assign(Task(task_id=f"idle-{n:08d}", attempt=1, name=name, args="[]", kwargs="{}"))
        await ended.wait()
        spent.append(time.perf_counter() - began)
    spent.sort()
    print(
        f"{spent[len(spent) // 2] * 1e3:8.2f} ms: one at a time, p50; p99 {spent[int(len(spent) * 0.99)] * 1e3:.2f} ms"
    )


def main() -> None:
    """Arguments, a folder, and off."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="noop")
    parser.add_argument("--total", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--profile", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(options, Path(folder)))


if __name__ == "__main__":
    main()
