"""From `azolla-local up` on an empty state folder to the first result."""

from __future__ import annotations

import statistics
import time

import uvloop

from bench.cases import Context
from bench.harness.batching import BatchingClient, noop
from bench.harness.environment import environment
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds

_BAR = Bar(at_most=3.0, show=milliseconds)


def measure(context: Context) -> list[Row]:
    """One row: the median of several starts."""
    found: list[float] = []
    for _ in range(context.count(5, least=2)):
        with environment(started=False) as ours:
            began = time.perf_counter()
            ours.up()
            uvloop.run(_first_result(ours.grpc))
            found.append(time.perf_counter() - began)
    seconds = statistics.median(found)
    return [
        Row(
            what="up to first result",
            ours=milliseconds(seconds),
            verdict=Verdict(value=seconds, bar=_BAR),
            numbers={"seconds": seconds},
        )
    ]


async def _first_result(target: str) -> None:
    async with BatchingClient.of(target) as client:
        await client.wait(await client.create_one(noop()))
