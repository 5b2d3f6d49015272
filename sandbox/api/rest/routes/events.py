"""The history of everything, from any point on, and as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from sandbox.api.rest import live, parameters, schemas, views
from sandbox.api.rest.services import Ask
from sandbox.errors import BadFilter
from sandbox.service.services import Services
from sandbox.store.contract import EventRecord

router = APIRouter(prefix="/v1", tags=["history"])

_SLICE = 1000


@router.get(
    "/events",
    responses=schemas.stream(schemas.HistoryEvent, "Events, oldest first; or server-sent events if asked for."),
    summary="Events of everything",
)
async def events(
    request: Request,
    services: Ask,
    after: Annotated[int | None, Query(ge=-1, description="Begin behind this number; -1: only what is new.")] = None,
    last: Annotated[int | None, Query(ge=1, description="Begin so many events before the newest.")] = None,
    domain: str | None = None,
    limit: Annotated[int | None, Query(ge=1, description="At most so many.")] = None,
    follow: bool = False,
) -> Response:
    """NDJSON, or server-sent events with `Accept: text/event-stream` (which go on from `Last-Event-ID`)."""
    as_sse = parameters.wants(request, live.SSE)
    seen = request.headers.get("last-event-id")
    if as_sse and seen is not None:
        if not seen.isdigit():
            raise BadFilter("Last-Event-ID must be the number of an event", subject=seen)
        after, last = int(seen), None
    start = await _start(services, after, last)
    found = _events(services, start, domain, limit, follow=follow)
    if as_sse:
        return live.server_sent(found, _sse)
    return live.ndjson(found, lambda record: views.dump_line(views.event(record)))


async def _start(services: Services, after: int | None, last: int | None) -> int:
    if after is not None and last is not None:
        raise BadFilter("Give after or last, not both")
    if last is not None:
        return max(0, await services.tasks.last_seq() - last)
    return await services.tasks.last_seq() if after == -1 else after or 0


async def _events(
    services: Services, after: int, domain: str | None, limit: int | None, *, follow: bool
) -> AsyncIterator[EventRecord]:
    left = limit
    news = services.tasks.new_events()
    async for _ in news:
        while True:
            some = await services.tasks.events_after(after, _SLICE if left is None else min(left, _SLICE), domain)
            for record in some:
                yield record
            if some:
                after = some[-1].seq
            if left is not None:
                left -= len(some)
                if left == 0:
                    return
            if not some:
                break
        if not follow:
            return


def _sse(record: EventRecord) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        record.seq,
        views.event_word(record.type).encode(),
        views.dump(views.event(record)),
    )
