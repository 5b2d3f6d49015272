"""The orchestrator itself: what it does, who serves it, what can be run, the database, health and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from sandbox.api.rest import bodies, schemas, views
from sandbox.api.rest.services import Ask
from sandbox.errors import InvalidInput
from sandbox.telemetry.metrics import Metrics

router = APIRouter(tags=["upkeep"])

MAX_ROWS = 100_000


@router.get("/v1/status", summary="What the orchestrator does")
async def status(services: Ask) -> Response:
    """Version, addresses, tasks by status, and what waits."""
    return views.reply(await services.upkeep.status())


@router.get("/v1/shepherds", summary="Shepherds and what they do")
async def shepherds(services: Ask) -> Response:
    """Every shepherd that is known, connected or not."""
    return views.reply({"shepherds": services.shepherds.list()})


@router.get("/v1/domains", summary="Domains")
async def domains(services: Ask) -> Response:
    """Every domain that is configured or in use, with its tasks by status."""
    found: list[dict[str, Any]] = []
    for name in services.tasks.domains():
        counts = await services.tasks.counts(name)
        found.append({"name": name, "tasks": {status.word: count for status, count in counts.items()}})
    return views.reply({"domains": found})


@router.get("/v1/definitions", summary="What can be run")
async def definitions(services: Ask) -> Response:
    """Task definitions by name, and a line for each file that can't be read."""
    known, problems = services.tasks.definitions()
    return views.reply({"definitions": known, "problems": problems})


@router.post(
    "/v1/sql",
    responses={200: {"model": schemas.SqlAnswer}},
    openapi_extra=schemas.body(schemas.SqlBody),
    summary="Ask the database, read-only",
)
async def sql(request: Request, services: Ask) -> Response:
    """One statement that reads; it is ended after some seconds. BLOBs come as `{"base64": …}`."""
    body = bodies.read_object(await bodies.read_body(request), frozenset({"statement", "limit"}))
    statement, limit = body.get("statement"), body.get("limit", 1000)
    if type(statement) is not str or not statement.strip():
        raise InvalidInput("statement must be a string, and not empty")
    if type(limit) is not int or not 1 <= limit <= MAX_ROWS:
        raise InvalidInput(f"limit must be a whole number from 1 to {MAX_ROWS:,}", subject=str(limit))
    found = await services.upkeep.sql(statement, limit)
    return views.reply({"columns": found.columns, "rows": found.rows, "truncated": found.truncated})


@router.get("/healthz", summary="Does the process answer?")
async def healthz() -> Response:
    """Always 200, as long as anything answers."""
    return views.reply({"status": "ok"})


@router.get("/readyz", summary="Can it take tasks?")
async def readyz(services: Ask) -> Response:
    """200 once the state was read and tasks are taken, 503 before, and while it stops."""
    ready = services.upkeep.ready()
    return views.reply({"ready": ready}, 200 if ready else 503)


@router.get("/metrics", summary="Metrics for Prometheus")
async def metrics(request: Request) -> Response:
    """The text format of Prometheus."""
    figures: Metrics = request.app.state.metrics
    return Response(figures.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
