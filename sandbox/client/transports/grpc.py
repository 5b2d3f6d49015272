"""Creates tasks and waits for them over gRPC: faster than HTTP for single tasks, and a stream for what ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import grpc
import grpc.aio

from sandbox import errors
from sandbox.client.faults import error_of, kind_of
from sandbox.client.requests import unreachable
from sandbox.client.submission import Submission
from sandbox.client.transports import grpc_messages as convert
from sandbox.errors import SandboxError
from sandbox.model.task import EndedTask
from shepherd.wire import calls, messages

_OPTIONS = [
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
]
_CALL_S = 60.0

_CREATE = (calls.path(calls.CLIENT_SERVICE, "CreateTask"), messages.CreateTaskRequest, messages.CreateTaskResponse)
_CREATE_MANY = (
    calls.path(calls.TASKS_SERVICE, "CreateTasks"),
    messages.CreateTasksRequest,
    messages.CreateTasksResponse,
)
_WATCH = (calls.path(calls.TASKS_SERVICE, "WatchTasks"), messages.WatchTasksRequest, messages.TasksEnded)

_BY_STATUS: dict[grpc.StatusCode, type[SandboxError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidInput,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.Conflict,
    grpc.StatusCode.FAILED_PRECONDITION: errors.Conflict,
    grpc.StatusCode.PERMISSION_DENIED: errors.NotAllowed,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.DATA_LOSS: errors.StoreDamaged,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotSupported,
}


class GrpcTransport:
    """Tasks over gRPC, on a channel of its own. `target`: `host:port`."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        self._create = _unary(self._channel, *_CREATE)
        self._create_many = _unary(self._channel, *_CREATE_MANY)
        self._watch = _stream(self._channel, *_WATCH)

    def create(self, submission: Submission) -> str:
        try:
            return self._create(convert.create_request(submission), timeout=_CALL_S).task_id
        except grpc.RpcError as error:
            raise _failed(self._target, error) from error

    def create_many(self, submissions: Sequence[Submission]) -> list[str]:
        if not submissions:
            return []
        try:
            return list(self._create_many(convert.create_tasks_request(submissions), timeout=_CALL_S).task_ids)
        except grpc.RpcError as error:
            raise _failed(self._target, error) from error

    def wait(self, task_id: str, timeout_s: float) -> EndedTask | None:
        return next(iter(self.watch([task_id], timeout_s)), None)

    def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> Iterator[EndedTask]:
        call: Any = self._watch(messages.WatchTasksRequest(task_ids=task_ids), timeout=timeout_s)
        try:
            for some in call:
                for ended in some.ended:
                    yield convert.ended_task(ended)
        except grpc.RpcError as error:
            if _code(error) is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _failed(self._target, error) from error
        finally:
            call.cancel()

    def close(self) -> None:
        self._channel.close()


class AsyncGrpcTransport:
    """The same for asyncio."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        self._create = _unary(self._channel, *_CREATE)
        self._create_many = _unary(self._channel, *_CREATE_MANY)
        self._watch = _stream(self._channel, *_WATCH)

    async def create(self, submission: Submission) -> str:
        try:
            return (await self._create(convert.create_request(submission), timeout=_CALL_S)).task_id
        except grpc.RpcError as error:
            raise _failed(self._target, error) from error

    async def create_many(self, submissions: Sequence[Submission]) -> list[str]:
        if not submissions:
            return []
        try:
            answer = await self._create_many(convert.create_tasks_request(submissions), timeout=_CALL_S)
        except grpc.RpcError as error:
            raise _failed(self._target, error) from error
        return list(answer.task_ids)

    async def wait(self, task_id: str, timeout_s: float) -> EndedTask | None:
        async for ended in self.watch([task_id], timeout_s):
            return ended
        return None

    async def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[EndedTask]:
        call: Any = self._watch(messages.WatchTasksRequest(task_ids=task_ids), timeout=timeout_s)
        try:
            async for some in call:
                for ended in some.ended:
                    yield convert.ended_task(ended)
        except grpc.RpcError as error:
            if _code(error) is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise _failed(self._target, error) from error
        finally:
            call.cancel()

    async def close(self) -> None:
        await self._channel.close()


def _unary(channel: Any, path: str, request: Any, response: Any) -> Any:
    return channel.unary_unary(
        path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
    )


def _stream(channel: Any, path: str, request: Any, response: Any) -> Any:
    return channel.unary_stream(
        path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
    )


def _code(error: grpc.RpcError) -> grpc.StatusCode:
    call: Any = error  # every error of a call has these methods; the base class doesn't say so
    return call.code()


def _failed(target: str, error: grpc.RpcError) -> SandboxError:
    """The error that the orchestrator raised, from the trailing metadata; or what the status code says."""
    call: Any = error
    details = str(call.details() or "")
    told = {str(key): _text(value) for key, value in call.trailing_metadata() or ()}
    code = told.get("azolla-code", "")
    if kind_of(code) is not None:
        hint = told.get("azolla-hint-bin", "")
        return error_of(code, details.removesuffix(f". {hint}") if hint else details, hint=hint)
    status = _code(error)
    if status is grpc.StatusCode.UNAVAILABLE:
        return unreachable(target, details)
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.Unavailable("The orchestrator took too long to answer", subject=target)
    return _BY_STATUS.get(status, errors.InternalError)(details or status.name, subject=target)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
