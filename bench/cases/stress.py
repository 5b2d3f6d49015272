"""A thousand light tasks from ten clients, four in ten of which fail once or more; retries come without a pause.

Each failed attempt writes its traceback, so this is also a few hundred small logs. `tests/acceptance/test_stress.py`
checks that the counts come out right; here it is about time.
"""

from __future__ import annotations

import asyncio
import random
import time

import uvloop

from bench.cases import Context
from bench.harness.batching import BatchingClient
from bench.harness.environment import Environment, environment
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds
from shepherd.wire.messages import CreateTaskRequest

TASKS, CLIENTS = 1_000, 10
MAX_ATTEMPTS = 4
_BAR = Bar(at_most=1.5, show=milliseconds)


def measure(context: Context) -> list[Row]:
    """One row: from the first submission to the last end."""
    with environment() as ours:
        found = sorted(uvloop.run(_round(ours, seed)) for seed in range(context.count(5, least=3)))
    seconds = found[len(found) // 2]
    return [
        Row(
            what=f"{TASKS:,} tasks that fail and are retried, {CLIENTS} clients",
            ours=milliseconds(seconds),
            verdict=Verdict(value=seconds, bar=_BAR),
            numbers={"seconds": seconds},
        )
    ]


async def _round(ours: Environment, seed: int) -> float:
    draw = random.Random(seed)
    planned = [draw.choices(range(6), weights=(60, 14, 10, 6, 5, 5))[0] for _ in range(TASKS)]
    began = time.perf_counter()
    await asyncio.gather(*(_client(ours.grpc, planned[number::CLIENTS]) for number in range(CLIENTS)))
    return time.perf_counter() - began


async def _client(target: str, planned: list[int]) -> None:
    async with BatchingClient.of(target) as client:
        ids = [await client.create_one(_flaky(fail_first)) for fail_first in planned]
        wanted = {
            task_id: "dead" if fail_first >= MAX_ATTEMPTS else "succeeded"
            for task_id, fail_first in zip(ids, planned, strict=True)
        }
        found = {ended.task_id: ended.status async for ended in client.ends(ids)}
        if found != wanted:
            raise RuntimeError("the tasks did not end as they should have")


def _flaky(fail_first: int) -> CreateTaskRequest:
    made = CreateTaskRequest(name="flaky", domain="default", args=f"[{fail_first}]", kwargs="{}")
    made.retry_policy.version = 1
    made.retry_policy.stop.max_attempts = MAX_ATTEMPTS
    made.retry_policy.wait.fixed.delay = 0
    made.retry_policy.retry.include_errors.append("ValueError")
    return made
