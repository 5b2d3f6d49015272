"""Wait for tasks to end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeGuard, cast

from fastapi import APIRouter, Query, Request, Response

from sandbox.api.rest import bodies, live, schemas, views
from sandbox.api.rest.services import Ask
from sandbox.errors import InvalidInput
from sandbox.service.services import Services

router = APIRouter(prefix="/v1", tags=["tasks"])

LONGEST_WAIT_S = 3600.0
MAX_WATCHED = 100_000
_ID_LENGTH = 36


@router.get(
    "/tasks/{task_id}/wait",
    responses={200: {"model": schemas.Ended}, 202: {"model": schemas.Standing, "description": "Not yet ended"}},
    summary="Wait for a task",
)
async def wait(
    task_id: str,
    services: Ask,
    timeout: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds.")] = 30.0,  # noqa: ASYNC109 - a wait that clients choose
) -> Response:
    """200 with the ended task; 202 when it has not ended in time."""
    full = await _resolve(services, task_id)
    ended = await services.tasks.wait(full, timeout)
    if ended is not None:
        return views.reply(views.ended_task(ended))
    record = await services.tasks.get(full)
    return views.reply({"task_id": full, "status": record.status.word}, 202)


@router.post(
    "/tasks:wait",
    responses=schemas.stream(schemas.Ended, "Ended tasks, each when it ends; at last `{end, waiting}`."),
    openapi_extra=schemas.body(schemas.WaitBody),
    summary="Wait for many tasks",
)
async def wait_many(request: Request, services: Ask) -> Response:
    """One line for each task when it has ended. The last line, `{"end": true, "waiting": n}`, says how many had not."""
    body = bodies.read_object(await bodies.read_body(request), frozenset({"task_ids", "timeout"}))
    given: Any = body.get("task_ids")
    seconds: Any = body.get("timeout")
    if not _are_strings(given):
        raise InvalidInput("task_ids must be a JSON array of strings")
    if len(given) > MAX_WATCHED:
        raise InvalidInput(f"task_ids may hold {MAX_WATCHED:,} ids, these are more", subject=str(len(given)))
    if seconds is not None and (type(seconds) not in {int, float} or not seconds >= 0):
        raise InvalidInput("timeout must be a number of seconds, 0 or more", subject=str(seconds))
    task_ids = list(dict.fromkeys([await _resolve(services, task_id) for task_id in given]))
    return live.ndjson(_ended(services, task_ids, seconds), views.dump_line)


async def _ended(services: Services, task_ids: list[str], seconds: float | None) -> AsyncIterator[dict[str, Any]]:
    waiting = len(task_ids)
    if task_ids:
        async for ended in services.tasks.wait_each(task_ids, seconds):
            waiting -= 1
            yield views.ended_task(ended)
    yield {"end": True, "waiting": waiting}


def _are_strings(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value))


async def _resolve(services: Services, task_id: str) -> str:
    """A whole id as it is: the wait itself finds out whether there is such a task."""
    return task_id if len(task_id) == _ID_LENGTH else await services.tasks.resolve(task_id)
