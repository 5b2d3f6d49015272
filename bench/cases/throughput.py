"""Whole lives of tasks that do nothing, from creation to the result at the client, everything durable."""

from __future__ import annotations

import asyncio
import time

import uvloop

from bench.cases import Context
from bench.harness.batching import BATCH, BatchingClient, noop
from bench.harness.environment import Environment, environment
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, per_second

_BAR = Bar(at_least=3_000, show=per_second)


def measure(context: Context) -> list[Row]:
    """One row: tasks a second at the resident tier."""
    with environment() as ours:
        rate = uvloop.run(_rounds(context, ours))
    return [
        Row(
            what="end to end, no-op, resident",
            ours=per_second(rate),
            peers=context.peers.figures("end-to-end", lambda f: per_second(f["rate"])),
            verdict=Verdict(value=rate, bar=_BAR),
            numbers={"rate": rate},
        )
    ]


async def _rounds(context: Context, ours: Environment) -> float:
    async with BatchingClient.of(ours.grpc) as client:
        await _round(client, BATCH)  # workers are warm after it
        rates = [await _round(client, context.count(20_000, least=2_000)) for _ in range(3)]
    return sorted(rates)[len(rates) // 2]


async def _round(client: BatchingClient, count: int) -> float:
    began = time.perf_counter()
    watchers: list[asyncio.Task[int]] = []
    left = count
    while left:
        ids = await client.create([noop()] * min(BATCH, left))
        left -= len(ids)
        watchers.append(asyncio.create_task(_ended(client, ids)))
    ended = sum(await asyncio.gather(*watchers))
    if ended != count:
        raise RuntimeError(f"{count} tasks were created and {ended} ended")
    return count / (time.perf_counter() - began)


async def _ended(client: BatchingClient, ids: list[str]) -> int:
    count = 0
    async for _ in client.watch(ids):
        count += 1
    return count
