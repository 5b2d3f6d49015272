"""Create, list, look at and cancel tasks."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from sandbox.api.rest import bodies, parameters, schemas, views
from sandbox.api.rest.live import NDJSON
from sandbox.api.rest.services import Ask
from sandbox.errors import InvalidInput
from sandbox.store.contract import TaskFilter

router = APIRouter(prefix="/v1", tags=["tasks"])

MAX_PAGE = 1000


@router.post(
    "/tasks",
    status_code=201,
    responses={201: {"model": schemas.Created}},
    openapi_extra=schemas.body(schemas.NewTaskBody),
    summary="Create a task",
)
async def create(request: Request, services: Ask) -> Response:
    """The header `Idempotency-Key` makes a repeat harmless: the same key in a domain gives the same task."""
    new = bodies.one_task(await bodies.read_body(request), request.headers.get("idempotency-key"))
    task_id = await services.tasks.create(new, checked_name=True)
    return views.reply({"task_id": task_id}, 201, {"Location": f"/v1/tasks/{task_id}"})


@router.post(
    "/tasks:batch",
    status_code=201,
    responses={201: {"model": schemas.CreatedMany}},
    openapi_extra=schemas.body(schemas.NewTasksBody, lines=schemas.NewTaskBody),
    summary="Create many tasks, all or none",
)
async def create_batch(request: Request, services: Ask) -> Response:
    """Either `{"tasks": […]}`, or with `Content-Type: application/x-ndjson` one task a line. At most 10,000."""
    lines = request.headers.get("content-type", "").partition(";")[0].strip().lower() == NDJSON
    news = bodies.batch_of_tasks(await bodies.read_body(request), lines=lines)
    task_ids = await services.tasks.create_many(news, checked_name=True)
    return views.reply({"task_ids": task_ids}, 201)


@router.get("/tasks", responses={200: {"model": schemas.TaskList}}, summary="List tasks, newest first")
async def list_tasks(
    services: Ask,
    domain: str | None = None,
    queue: str | None = None,
    status: Annotated[list[str] | None, Query(description="Words, also `unfinished`, `ended`, `unsuccessful`.")] = None,
    name: Annotated[str | None, Query(description="A glob: `census-*`.")] = None,
    label: Annotated[list[str] | None, Query(description="`key=value`, all of them.")] = None,
    since: Annotated[str | None, Query(description="Created at or after: a time, or an age such as `5m`.")] = None,
    until: Annotated[str | None, Query(description="Created before: a time or an age.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: str | None = None,
) -> Response:
    """Without input and results. What is left out doesn't narrow."""
    now = datetime.now(UTC)
    which = TaskFilter(
        domain=domain,
        queue=queue,
        statuses=parameters.statuses(status or ()),
        name=name,
        labels=parameters.labels(label or ()),
        created_from_ms=parameters.milliseconds(parameters.time_of(since, "since", now)),
        created_before_ms=parameters.milliseconds(parameters.time_of(until, "until", now)),
    )
    page = await services.tasks.list(which, cursor, limit)
    return views.reply({"tasks": [views.task_row(task) for task in page.items], "next_cursor": page.next_cursor})


@router.get("/tasks/{task_id}", responses={200: {"model": schemas.TaskPage}}, summary="All there is to say of a task")
async def get_task(task_id: str, services: Ask) -> Response:
    """`task_id` may be shortened to a prefix that only one task has, here and wherever a path has it."""
    full = await services.tasks.resolve(task_id)
    record = await services.tasks.get(full)
    events = await services.tasks.events(full)
    return views.reply(views.task_page(record, events, services.tasks.progress(full)))


@router.get("/tasks/{task_id}/events", responses={200: {"model": schemas.History}}, summary="The history of a task")
async def get_events(task_id: str, services: Ask) -> Response:
    """Oldest first."""
    events = await services.tasks.events(await services.tasks.resolve(task_id))
    return views.reply({"events": [views.event(record) for record in events]})


@router.get(
    "/tasks/{task_id}/why", responses={200: {"model": schemas.Why}}, summary="Why a task stands where it stands"
)
async def get_why(task_id: str, services: Ask) -> Response:
    """In a sentence, with what can be done about it."""
    full = await services.tasks.resolve(task_id)
    why = await services.tasks.why(full)
    answer: dict[str, Any] = {"task_id": full} | {
        field.name: getattr(why, field.name) for field in dataclasses.fields(why)
    }
    return views.reply(answer | {"status": why.status.word})


@router.post(
    "/tasks/{task_id}/cancel",
    responses={200: {"model": schemas.Standing}},
    openapi_extra=schemas.body(schemas.CancelBody, required=False),
    summary="Cancel a task",
)
async def cancel(task_id: str, request: Request, services: Ask) -> Response:
    """The status afterwards: `cancelled`, or `running` until its shepherd has ended it. An ended task stays."""
    body = bodies.read_object(await bodies.read_body(request), frozenset({"reason"}))
    reason = body.get("reason", "")
    if type(reason) is not str:
        raise InvalidInput("reason must be a string", subject="reason")
    full = await services.tasks.resolve(task_id)
    status = await services.tasks.cancel(full, reason)
    return views.reply({"task_id": full, "status": status.word})
