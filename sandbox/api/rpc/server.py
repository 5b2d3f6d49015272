"""The gRPC server: the calls by their names on the wire, and errors as statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import structlog

from sandbox.api import faults
from sandbox.api.rpc.client_service import ClientCalls, TasksCalls
from sandbox.api.rpc.cluster_service import ClusterCalls
from sandbox.errors import SandboxError
from shepherd.wire import calls
from shepherd.wire import messages as wire

_log = structlog.stdlib.get_logger("sandbox.rpc")

MAX_MESSAGE_BYTES = 64 * 1024 * 1024

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
)


class RpcServer:
    """Serves one address. `start` answers the port, which matters where 0 was asked for."""

    def __init__(self, clients: ClientCalls, tasks: TasksCalls, cluster: ClusterCalls) -> None:
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers(
            (
                _unary_service(
                    calls.CLIENT_SERVICE,
                    {
                        "CreateTask": (clients.create_task, wire.CreateTaskRequest),
                        "WaitForTask": (clients.wait_for_task, wire.WaitForTaskRequest),
                        "CreateFlow": (clients.create_flow, wire.CreateFlowRequest),
                        "WaitForFlow": (clients.wait_for_flow, wire.WaitForFlowRequest),
                        "PublishTaskEvent": (clients.publish_task_event, wire.PublishTaskEventRequest),
                        "PublishFlowEvent": (clients.publish_flow_event, wire.PublishFlowEventRequest),
                    },
                ),
                _tasks_service(tasks),
                grpc.method_handlers_generic_handler(
                    calls.CLUSTER_SERVICE,
                    {
                        "Stream": grpc.stream_stream_rpc_method_handler(
                            cluster.stream,
                            request_deserializer=wire.ClientMsg.FromString,
                            response_serializer=wire.ServerMsg.SerializeToString,
                        )
                    },
                ),
            )
        )

    async def start(self, address: str) -> int:
        """Listen there (`host:port`). RuntimeError or OSError if the port can't be had."""
        port = self._server.add_insecure_port(address)
        await self._server.start()
        return port

    async def stop(self, grace_s: float) -> None:
        """Take no new calls; let those under way finish for that long."""
        await self._server.stop(grace_s)


Unary = Callable[[Any], Awaitable[Any]]


def _unary_service(name: str, methods: dict[str, tuple[Unary, Any]]) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        name,
        {
            method: grpc.unary_unary_rpc_method_handler(
                _answered(call),
                request_deserializer=request.FromString,
                response_serializer=_serialize,
            )
            for method, (call, request) in methods.items()
        },
    )


def _tasks_service(tasks: TasksCalls) -> grpc.GenericRpcHandler:
    async def watch(request: wire.WatchTasksRequest, context: Any) -> AsyncIterator[wire.TasksEnded]:
        try:
            async for ended in tasks.watch_tasks(request):
                yield ended
        except SandboxError as error:
            await _abort(context, error)

    return grpc.method_handlers_generic_handler(
        calls.TASKS_SERVICE,
        {
            "CreateTasks": grpc.unary_unary_rpc_method_handler(
                _answered(tasks.create_tasks),
                request_deserializer=wire.CreateTasksRequest.FromString,
                response_serializer=_serialize,
            ),
            "WatchTasks": grpc.unary_stream_rpc_method_handler(
                watch,
                request_deserializer=wire.WatchTasksRequest.FromString,
                response_serializer=_serialize,
            ),
        },
    )


def _serialize(message: Any) -> bytes:
    return message.SerializeToString()


def _answered(call: Unary) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return await call(request)
        except SandboxError as error:
            return await _abort(context, error)
        except Exception:  # noqa: BLE001 - a bug in one call must not end the stream of others; it is logged whole
            _log.exception("a call failed for a reason of ours", call=call.__name__)
            await context.abort(grpc.StatusCode.INTERNAL, "internal error; the orchestrator's log has the details")

    return answer


async def _abort(context: Any, error: SandboxError) -> None:
    trailers = (("azolla-code", error.code), ("azolla-hint-bin", error.hint.encode()))
    await context.abort(faults.grpc_status(error), faults.sentence(error), trailers)
