"""What tasks have written."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from logsinks.reading import LogLine, LogQuery
from logsinks.record import Stream
from sandbox.api.rest import live, parameters, schemas, views
from sandbox.api.rest.services import Ask
from sandbox.errors import BadFilter

router = APIRouter(prefix="/v1", tags=["logs"])

_STREAMS = {"stdout": Stream.OUT, "out": Stream.OUT, "stderr": Stream.ERR, "err": Stream.ERR}
_WORDS = {Stream.OUT: "stdout", Stream.ERR: "stderr", Stream.GAP: "gap"}


@router.get(
    "/tasks/{task_id}/logs",
    responses=schemas.stream(schemas.LogLine, "Lines; with `format=raw` nothing but the bytes."),
    summary="What a task has written",
)
async def logs(
    task_id: str,
    services: Ask,
    attempt: Annotated[int | None, Query(ge=1, description="Only this attempt.")] = None,
    stream: Annotated[Literal["stdout", "stderr", "out", "err"] | None, Query(description="Only this stream.")] = None,
    tail: Annotated[int | None, Query(ge=0, description="Only the last lines.")] = None,
    since: Annotated[str | None, Query(description="A time, or an age such as `5m`.")] = None,
    until: Annotated[str | None, Query(description="A time or an age.")] = None,
    grep: Annotated[str | None, Query(description="A regular expression.")] = None,
    from_offset: Annotated[int | None, Query(ge=0, description="From this byte of `attempt` on.")] = None,
    source: Annotated[str | None, Query(alias="from", description="Read from the sink of that name.")] = None,
    follow: Annotated[bool, Query(description="Go on until the task has ended.")] = False,
    format: Annotated[Literal["json", "raw"], Query()] = "json",  # noqa: A002 - the name in the URL
) -> Response:
    """From the first byte, over all attempts. 404 for a task that has written nothing, unless it is followed."""
    full = await services.tasks.resolve(task_id)
    await services.tasks.get(full)
    _check_pattern(grep)
    now = datetime.now(UTC)
    query = LogQuery(
        follow=follow,
        tail=tail,
        since=parameters.time_of(since, "since", now),
        until=parameters.time_of(until, "until", now),
        stream=_STREAMS[stream] if stream else None,
        grep=grep,
        attempt=attempt,
        from_offset=from_offset or 0,
        whole_lines=format == "json",
    )
    lines = services.logs.lines(full, query, sink=source)
    if not follow:
        lines = await _begun(lines)
    if format == "raw":
        return live.raw(lines, lambda line: line.data)
    return live.ndjson(lines, lambda line: views.dump_line(_view(line)))


def _view(line: LogLine) -> dict[str, Any]:
    return {
        "attempt": line.attempt,
        "stream": _WORDS[line.stream],
        "time": line.time.isoformat(),
        "offset": line.offset,
        **views.bytes_field(line.data),
        **({"partial": True} if line.partial else {}),
    }


def _check_pattern(grep: str | None) -> None:
    try:
        re.compile(grep or "")
    except re.error as error:
        raise BadFilter("grep is no regular expression", subject=grep or "", why=str(error)) from error


async def _begun(lines: AsyncIterator[LogLine]) -> AsyncIterator[LogLine]:
    """The lines, once the first is there: an error up to then still has a status of its own."""
    first = await anext(lines, None)

    async def all_of_them() -> AsyncIterator[LogLine]:
        if first is None:
            return
        yield first
        async for line in lines:
            yield line

    return all_of_them()
