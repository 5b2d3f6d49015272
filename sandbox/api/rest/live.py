"""Answers that go on: items as they come, as NDJSON or server-sent events, many in one write when they come fast."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi.responses import StreamingResponse

from sandbox.api.rest.problems import problem
from sandbox.api.rest.views import dump, dump_line
from sandbox.errors import InternalError, SandboxError

Item = TypeVar("Item")

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
_ENOUGH_BYTES = 256 * 1024
_NO_STORE = {"Cache-Control": "no-store"}


async def together(items: AsyncIterator[Item], encode: Callable[[Item], bytes]) -> AsyncIterator[bytes]:
    """The encoded items, those that are ready joined into one piece; at most about 256 KiB wait.

    An error of `items` comes out after what was before it.
    """
    waiting: list[bytes] = []
    size = 0
    news, room = asyncio.Event(), asyncio.Event()

    async def fill() -> None:
        nonlocal size
        async for item in items:
            data = encode(item)
            waiting.append(data)
            size += len(data)
            news.set()
            if size >= _ENOUGH_BYTES:
                room.clear()
                await room.wait()

    filling = asyncio.create_task(fill())
    filling.add_done_callback(lambda _: news.set())
    try:
        while True:
            if waiting:
                data = b"".join(waiting)
                waiting.clear()
                size = 0
                room.set()
                yield data
            elif filling.done():
                await filling
                return
            else:
                await news.wait()
                news.clear()
    finally:
        filling.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):  # it was awaited above, or nobody listens now
            await filling
        await _close(items)


async def with_last_words(pieces: AsyncIterator[bytes], tell: Callable[[SandboxError], bytes]) -> AsyncIterator[bytes]:
    """The pieces; an error in the middle, when the status has long been sent, becomes the last piece."""
    try:
        async for piece in pieces:
            yield piece
    except SandboxError as error:
        yield tell(error)
    except Exception as error:  # noqa: BLE001 - the answer has begun: all that is left is to say so, and to log it
        _log_unexpected(error)
        yield tell(InternalError("This is a bug of azolla-local", hint="see orchestrator.log"))


def ndjson(items: AsyncIterator[Item], encode: Callable[[Item], bytes]) -> StreamingResponse:
    """One JSON object a line. An error in the middle is a last line `{"error": problem}`."""
    pieces = with_last_words(together(items, encode), lambda error: dump_line({"error": problem(error)}))
    return StreamingResponse(pieces, media_type=NDJSON, headers=_NO_STORE)


def server_sent(items: AsyncIterator[Item], encode: Callable[[Item], bytes]) -> StreamingResponse:
    """Server-sent events; `encode` makes the whole event. An error in the middle is an event named `error`."""
    pieces = with_last_words(
        together(items, encode), lambda error: b"event: error\ndata: " + dump(problem(error)) + b"\n\n"
    )
    return StreamingResponse(pieces, media_type=SSE, headers=_NO_STORE)


def raw(items: AsyncIterator[Item], encode: Callable[[Item], bytes]) -> StreamingResponse:
    """Nothing but bytes. An error in the middle breaks the connection: no byte may be taken for data."""
    return StreamingResponse(together(items, encode), media_type="application/octet-stream", headers=_NO_STORE)


async def _close(items: object) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()


def _log_unexpected(error: Exception) -> None:
    import logging

    logging.getLogger(__name__).error("a stream broke off", exc_info=error)
