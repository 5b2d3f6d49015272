"""Clients that create tasks one call at a time, as any gRPC client would: `python -m bench.harness.creators`.

Several clients are several connections, shared out over processes. The processes connect, warm up, say `ready`
on standard output, and start when a line comes in on standard input; then each prints its durations as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc.aio
import uvloop

from bench.harness.measure import Samples
from shepherd.wire.calls import CLIENT_SERVICE, path
from shepherd.wire.messages import CreateTaskRequest, CreateTaskResponse

PARKED = "nobody-serves-this"
"""A queue without shepherds, so that creation is measured and nothing else runs meanwhile."""

_OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


def request() -> CreateTaskRequest:
    """A task of the usual size, some 100 bytes of input."""
    return CreateTaskRequest(
        name="noop",
        domain="default",
        args='["a customer", 12345, {"colour": "green", "sizes": [1, 2, 3]}]',
        kwargs='{"note": "nothing of importance"}',
        shepherd_group=PARKED,
    )


def creator(channel: grpc.aio.Channel) -> Callable[[], Awaitable[Any]]:
    """A call that creates one task."""
    call = channel.unary_unary(
        path(CLIENT_SERVICE, "CreateTask"),
        request_serializer=CreateTaskRequest.SerializeToString,
        response_deserializer=CreateTaskResponse.FromString,
    )
    return lambda: call(request())


def connection(target: str, options: Sequence[tuple[str, int]] = ()) -> grpc.aio.Channel:
    """A channel with a connection of its own."""
    return grpc.aio.insecure_channel(target, options=[*_OWN_CONNECTION, *options])


async def _client(target: str, count: int, ready: Callable[[], Awaitable[None]], durations: list[float]) -> None:
    async with connection(target) as channel:
        create = creator(channel)
        for _ in range(10):
            await create()
        await ready()
        for _ in range(count):
            start = time.perf_counter()
            await create()
            durations.append(time.perf_counter() - start)


async def _process(target: str, clients: int, count: int) -> None:
    durations: list[float] = []
    go = asyncio.Event()
    waiting = 0

    async def ready() -> None:
        nonlocal waiting
        waiting += 1
        if waiting == clients:
            print("ready", flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
            go.set()
        await go.wait()

    await asyncio.gather(*(_client(target, count, ready, durations) for _ in range(clients)))
    print(json.dumps(durations), flush=True)


def create_together(target: str, *, clients: int, processes: int, each: int) -> Samples:
    """`clients` connections in `processes` processes create `each` tasks, one call at a time on each connection."""
    share, rest = divmod(clients, processes)
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.harness.creators", target, str(share + (i < rest)), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("a client of the benchmark could not connect; its own lines are above")
    began = time.perf_counter()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    durations: list[float] = []
    for process in started:
        assert process.stdout is not None
        durations += json.loads(process.stdout.readline())
    elapsed = time.perf_counter() - began
    for process in started:
        process.communicate()
    return Samples(tuple(durations), elapsed)


if __name__ == "__main__":
    uvloop.run(_process(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
