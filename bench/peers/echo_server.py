"""A bare gRPC server that answers CreateTask with an id and does nothing else: `python -m bench.peers.echo_server`.

The same library, loop and messages as the orchestrator, so that what is above it is the orchestrator's own cost.
Prints its port.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import uvloop

from shepherd.wire.calls import CLIENT_SERVICE
from shepherd.wire.messages import CreateTaskRequest, CreateTaskResponse

_ANSWER = "01234567-89ab-8def-8123-456789abcdef"


async def _create(_request: CreateTaskRequest, _context: object) -> CreateTaskResponse:
    return CreateTaskResponse(task_id=_ANSWER)


async def _serve() -> None:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        _create,
        request_deserializer=CreateTaskRequest.FromString,
        response_serializer=CreateTaskResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(CLIENT_SERVICE, {"CreateTask": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the benchmark ends
    await server.stop(None)


@contextmanager
def echo_server() -> Iterator[str]:
    """The address of a running echo server."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.peers.echo_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.communicate()


if __name__ == "__main__":
    uvloop.run(_serve())
