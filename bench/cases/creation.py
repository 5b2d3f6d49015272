"""How fast tasks are created durably: one client, ten clients, batches.

The measure of single creation is a bare gRPC echo of the same messages, plus one in-place fdatasync on the same
disk, at the pace of those calls; all three are measured in turn. The tasks go to a queue that nobody serves, so nothing else runs meanwhile.
"""

from __future__ import annotations

import asyncio
import time

import uvloop

from bench.cases import Context
from bench.harness.batching import BATCH, BatchingClient, noop
from bench.harness.creators import PARKED, connection, create_together, creator
from bench.harness.disk import in_place_fdatasync
from bench.harness.environment import Environment, environment
from bench.harness.measure import Samples, alternating, median_p50, median_rate, one_after_another
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds, per_second
from bench.peers.echo_server import echo_server

PROCESSES = 2
CLIENTS = 10
_PACE_S = 0.0005
"""About the time of one bare call."""

_ONE = Bar(at_most=1.5, of="(echo + fdatasync)")
_TEN = Bar(at_least=0.6, of="echo")
_BATCHES = Bar(at_least=20_000, show=per_second)


def measure(context: Context) -> list[Row]:
    """Rows for one client, ten clients and batches."""
    with environment() as ours, echo_server() as echo:
        return [
            uvloop.run(_one_client(context, ours, echo)),
            _ten_clients(context, ours, echo),
            uvloop.run(_batches(context, ours)),
        ]


async def _one_client(context: Context, ours: Environment, echo: str) -> Row:
    count = context.count(400, least=50)

    async with connection(ours.grpc) as to_us, connection(echo) as to_echo:
        create, bare = creator(to_us), creator(to_echo)
        await one_after_another(create, 100)
        await one_after_another(bare, 100)

        async def sync() -> Samples:
            return in_place_fdatasync(ours.folder, count, _PACE_S)

        found = await alternating(
            {
                "ours": lambda: one_after_another(create, count),
                "echo": lambda: one_after_another(bare, count),
                "sync": sync,
            },
            rounds=context.count(9, least=3),
        )
    p50, echo_p50, sync_p50 = (median_p50(found[name]) for name in ("ours", "echo", "sync"))
    peers = context.peers.figures("create-one", lambda f: f"{milliseconds(f['p50'])}, {per_second(f['rate'])}")
    return Row(
        what="create, 1 client, p50",
        ours=f"{milliseconds(p50)}, {per_second(median_rate(found['ours']))}",
        peers={"bare": f"{milliseconds(echo_p50)} + {milliseconds(sync_p50)}"} | peers,
        verdict=Verdict(value=p50 / (echo_p50 + sync_p50), bar=_ONE),
        numbers={"p50": p50, "echo_p50": echo_p50, "fdatasync_p50": sync_p50},
    )


def _ten_clients(context: Context, ours: Environment, echo: str) -> Row:
    each = context.count(400, least=50)
    rates: dict[str, list[Samples]] = {ours.grpc: [], echo: []}
    for _ in range(context.count(5, least=3)):
        for target, samples in rates.items():
            samples.append(create_together(target, clients=CLIENTS, processes=PROCESSES, each=each))
    rate, echo_rate = (median_rate(samples) for samples in rates.values())
    return Row(
        what=f"create, {CLIENTS} clients",
        ours=per_second(rate),
        peers={"bare": per_second(echo_rate)} | context.peers.figures("create-ten", lambda f: per_second(f["rate"])),
        verdict=Verdict(value=rate / echo_rate, bar=_TEN),
        numbers={"rate": rate, "echo_rate": echo_rate},
    )


async def _batches(context: Context, ours: Environment) -> Row:
    batch = [noop(queue=PARKED)] * BATCH
    rates: list[float] = []
    async with BatchingClient.of(ours.grpc) as client:
        await client.create(batch)
        for _ in range(3):
            batches = context.count(20, least=4)
            began = time.perf_counter()
            first, second = batches // 2, batches - batches // 2
            await asyncio.gather(_one_by_one(client, batch, first), _one_by_one(client, batch, second))
            rates.append(batches * BATCH / (time.perf_counter() - began))
    rate = sorted(rates)[len(rates) // 2]
    return Row(
        what=f"create, batches of {BATCH:,}",
        ours=per_second(rate),
        peers=context.peers.figures("create-batches", lambda f: per_second(f["rate"])),
        verdict=Verdict(value=rate, bar=_BATCHES),
        numbers={"rate": rate},
    )


async def _one_by_one(client: BatchingClient, batch: list, batches: int) -> None:  # type: ignore[type-arg]
    for _ in range(batches):
        await client.create(batch)
