"""One task at a time on an idle environment: from the submission to the result at the client."""

from __future__ import annotations

import uvloop

from bench.cases import Context
from bench.harness.batching import BatchingClient, noop
from bench.harness.environment import Environment, environment
from bench.harness.measure import Samples, one_after_another
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds

_BAR = Bar(at_most=0.003, show=milliseconds)


def measure(context: Context) -> list[Row]:
    """One row: the median and the 99th percentile at the resident tier."""
    with environment() as ours:
        samples = uvloop.run(_measure(context, ours))
    return [
        Row(
            what="idle, submit to result, p50",
            ours=f"{milliseconds(samples.p50)} (p99 {milliseconds(samples.p99)})",
            peers=context.peers.figures("latency", lambda f: milliseconds(f["p50"])),
            verdict=Verdict(value=samples.p50, bar=_BAR),
            numbers={"p50": samples.p50, "p99": samples.p99},
        )
    ]


async def _measure(context: Context, ours: Environment) -> Samples:
    async with BatchingClient.of(ours.grpc) as client:

        async def one() -> None:
            await client.wait(await client.create_one(noop()))

        return await one_after_another(one, context.count(500, least=50), warm_up=50)
