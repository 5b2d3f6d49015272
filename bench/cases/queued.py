"""A large backlog: what a queued task costs in memory, and how soon work goes on after kill -9 of the orchestrator.

The shepherd is stopped (SIGSTOP) while the tasks are created, so that they stay queued. A last one has a higher
priority: after the restart it is the first to be dispatched, so its end is the proof that dispatch works again.
"""

from __future__ import annotations

import os
import signal
import time

import psutil
import uvloop

from bench.cases import Context
from bench.harness.batching import BATCH, BatchingClient, noop
from bench.harness.environment import Environment, environment
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds

_RESTART = Bar(at_most=1.0, show=milliseconds)


def measure(context: Context) -> list[Row]:
    """Two rows: memory a task, and the time from the kill to a finished task."""
    count = context.count(100_000, least=10_000)
    with environment() as ours:
        bytes_each, seconds = uvloop.run(_measure(ours, count))
    return [
        Row(
            what=f"memory a queued task ({count:,} queued)",
            ours=f"{bytes_each:,.0f} bytes",
            verdict=Verdict(value=bytes_each, bar=Bar(at_most=1024, show="{:,.0f} bytes".format)),
            numbers={"bytes": bytes_each},
        ),
        Row(
            what=f"kill -9, {count:,} queued, to a finished task",
            ours=milliseconds(seconds),
            verdict=Verdict(value=seconds, bar=_RESTART),
            numbers={"seconds": seconds},
        ),
    ]


async def _measure(ours: Environment, count: int) -> tuple[float, float]:
    orchestrator, shepherd = ours.pid("orchestrator"), ours.pid("shepherd")
    async with BatchingClient.of(ours.grpc) as client:
        warm = await client.create([noop()] * BATCH)
        async for _ in client.watch(warm):
            pass
        os.kill(shepherd, signal.SIGSTOP)
        try:
            before = psutil.Process(orchestrator).memory_info().rss
            for _ in range(count // BATCH):
                await client.create([noop()] * BATCH)
            first = await client.create_one(noop(priority=10))
            after = psutil.Process(orchestrator).memory_info().rss
            os.kill(orchestrator, signal.SIGKILL)
            began = time.perf_counter()
        finally:
            os.kill(shepherd, signal.SIGCONT)
    async with BatchingClient.of(ours.grpc) as client:
        async for _ in client.watch([first]):
            pass
    return (after - before) / count, time.perf_counter() - began
