"""Builds the HTTP API."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sandbox.api.rest import problems, schemas
from sandbox.api.rest.loopback import LoopbackOnly
from sandbox.api.rest.routes import events, logs, tasks, upkeep, waiting
from sandbox.service.services import Services
from sandbox.telemetry.metrics import Metrics

_ABOUT = """\
Tasks, their logs and history, shepherds and the state of an azolla-local environment.

Errors are `application/problem+json`; their `code` is stable. Times are Unix milliseconds (`…_ms`) unless
said otherwise. Only requests to loopback names are answered."""


def create_app(services: Services, *, hosts: Collection[str] = (), metrics: Metrics | None = None) -> FastAPI:
    """The API as an ASGI app.

    `hosts`: names beside the loopback ones under which it may be asked. `metrics`: what `/metrics` shows; without
    it, the present figures alone.
    """
    app = FastAPI(title="azolla-local", version=_version(), description=_ABOUT, docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.metrics = metrics or Metrics(services.upkeep.gauges)
    problems.install(app)
    # waiting before tasks: `/tasks/{task_id}` must not see its paths first
    for part in (waiting, tasks, logs, events, upkeep):
        app.include_router(part.router)
    app.add_middleware(LoopbackOnly, hosts=frozenset(name.lower() for name in hosts))
    app.openapi = lambda: _openapi(app)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        found["components"]["schemas"] = components = found["components"]["schemas"] | schemas.components()
        problem = schemas.Problem.model_json_schema()
        components["Problem"] = problem
        for path in found["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = {
                    "description": "An error",
                    "content": {problems.MEDIA_TYPE: {"schema": schemas.reference(schemas.Problem)}},
                }
        app.openapi_schema = found
    return app.openapi_schema


def _version() -> str:
    try:
        return version("azolla-local")
    except PackageNotFoundError:  # run from a source tree that isn't installed
        return "0"
