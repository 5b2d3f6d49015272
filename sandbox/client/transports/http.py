"""Sends calls over HTTP, with and without asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

import httpx

from sandbox.client import requests
from sandbox.client.faults import error_of_problem
from sandbox.client.requests import Call, LineSplitter, Reply, Request, Stream, unreachable
from sandbox.client.submission import Submission
from sandbox.errors import SandboxError, Unavailable
from sandbox.model.task import EndedTask

Answer = TypeVar("Answer")

_CONNECT_S = 5.0
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


class HttpTransport:
    """Everything, over HTTP. One object is one pool of connections."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        """`transport`: another way to carry requests, for tests."""
        self.url = url
        # No proxies from the environment: the orchestrator is on this machine.
        self._http = httpx.Client(base_url=url, limits=_LIMITS, trust_env=False, transport=transport)

    def call(self, call: Call[Answer]) -> Answer:
        """Send the request, read the answer."""
        try:
            response = self._http.send(_built(self._http, call.request))
        except httpx.TransportError as error:
            raise _failed(self.url, call.request, error) from error
        return call.answer(Reply(response.status_code, response.content))

    def stream(self, stream: Stream[Answer]) -> Iterator[Answer]:
        """Send the request, give the items as they come. The connection is closed with the iterator."""
        response = None
        try:
            response = self._http.send(_built(self._http, stream.request), stream=True)
            if response.status_code >= 300:
                raise error_of_problem(response.status_code, response.read())
            lines = LineSplitter()
            for piece in response.iter_bytes():
                for line in lines.feed(piece):
                    item = stream.line(line)
                    if item is not None:
                        yield item
            lines.end()
        except httpx.TransportError as error:
            raise _failed(self.url, stream.request, error) from error
        finally:
            if response is not None:
                response.close()

    def create(self, submission: Submission) -> str:
        return self.call(requests.create(submission))

    def create_many(self, submissions: Sequence[Submission]) -> list[str]:
        return self.call(requests.create_many(submissions)) if submissions else []

    def wait(self, task_id: str, timeout_s: float) -> EndedTask | None:
        return self.call(requests.wait(task_id, timeout_s))

    def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> Iterator[EndedTask]:
        return self.stream(requests.wait_each(task_ids, timeout_s))

    def close(self) -> None:
        self._http.close()


class AsyncHttpTransport:
    """The same for asyncio."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport`: another way to carry requests, for tests."""
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, limits=_LIMITS, trust_env=False, transport=transport)

    async def call(self, call: Call[Answer]) -> Answer:
        """Send the request, read the answer."""
        try:
            response = await self._http.send(_built(self._http, call.request))
        except httpx.TransportError as error:
            raise _failed(self.url, call.request, error) from error
        return call.answer(Reply(response.status_code, response.content))

    async def stream(self, stream: Stream[Answer]) -> AsyncIterator[Answer]:
        """Send the request, give the items as they come. The connection is closed with the iterator."""
        response = None
        try:
            response = await self._http.send(_built(self._http, stream.request), stream=True)
            if response.status_code >= 300:
                raise error_of_problem(response.status_code, await response.aread())
            lines = LineSplitter()
            async for piece in response.aiter_bytes():
                for line in lines.feed(piece):
                    item = stream.line(line)
                    if item is not None:
                        yield item
            lines.end()
        except httpx.TransportError as error:
            raise _failed(self.url, stream.request, error) from error
        finally:
            if response is not None:
                await response.aclose()

    async def create(self, submission: Submission) -> str:
        return await self.call(requests.create(submission))

    async def create_many(self, submissions: Sequence[Submission]) -> list[str]:
        return await self.call(requests.create_many(submissions)) if submissions else []

    async def wait(self, task_id: str, timeout_s: float) -> EndedTask | None:
        return await self.call(requests.wait(task_id, timeout_s))

    def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[EndedTask]:
        return self.stream(requests.wait_each(task_ids, timeout_s))

    async def close(self) -> None:
        await self._http.aclose()


def _built(http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    timeout = httpx.Timeout(request.timeout_s, connect=_CONNECT_S, write=60.0, pool=60.0)
    return http.build_request(
        request.method,
        request.path,
        params=list(request.params) or None,
        headers=dict(request.headers),
        content=request.body,
        timeout=timeout,
    )


def _failed(url: str, request: Request, error: httpx.TransportError) -> SandboxError:
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout):
        return Unavailable(
            "The orchestrator took too long to answer",
            subject=f"{request.method} {request.path}",
            why=f"nothing came for {request.timeout_s:g} seconds" if request.timeout_s else "",
            hint="azolla-local status",
        )
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return unreachable(url, "nothing listens there")
    return unreachable(url, f"the connection broke off: {error}" if str(error) else "the connection broke off")
