"""Errors as HTTP answers: `application/problem+json` (RFC 9457) with the parts that our errors carry."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox import errors
from sandbox.api.faults import http_status

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class BodyTooLarge(errors.InvalidInput):
    """A request body is longer than the API takes; many tasks go in several batches."""

    code = "invalid-input.too-large"


class NotJson(errors.InvalidInput):
    """A request body can't be read as JSON at all."""

    code = "invalid-input.json"


def status_of(error: errors.SandboxError) -> int:
    """The HTTP status of an error: that of the common table, and two that only HTTP knows."""
    if isinstance(error, BodyTooLarge):
        return 413
    return 400 if isinstance(error, NotJson) else http_status(error)


def problem(error: errors.SandboxError) -> dict[str, Any]:
    """The body that tells of an error."""
    body: dict[str, Any] = {
        "type": f"urn:azolla-local:error:{error.code}",
        "title": error.what,
        "status": status_of(error),
        "detail": error.why,
        "hint": error.hint,
        "code": error.code,
        "subject": error.subject,
    }
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    return body


def answer(error: errors.SandboxError) -> Response:
    """The answer that tells of an error."""
    body = problem(error)
    headers = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after is not None else None
    return Response(orjson.dumps(body), status_code=body["status"], media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Make every error of the app answer as a problem."""
    app.add_exception_handler(errors.SandboxError, _ours)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.SandboxError)
    if status_of(error) == 500:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(error)


async def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return answer(errors.NotFound("There is no such address", subject=where, hint="GET /openapi.json lists them"))
    if error.status_code == 405:
        refused = errors.NotSupported("This address doesn't take that method", subject=where)
        return Response(
            orjson.dumps(problem(refused) | {"status": 405}),
            status_code=405,
            media_type=MEDIA_TYPE,
            headers=dict(error.headers or {}),
        )
    return answer(errors.InvalidInput(str(error.detail), subject=where))


async def _of_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = [_mistake(found) for found in error.errors()]
    return answer(errors.BadFilter("A parameter is wrong", subject=request.url.path, why="; ".join(mistakes)))


def _mistake(found: Any) -> str:
    place, *name = [str(part) for part in found["loc"]]
    return f"{'.'.join(name) or place}: {found['msg'][:1].lower()}{found['msg'][1:]}, it is {found.get('input')!r}"


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(
        errors.InternalError(
            "This is a bug of azolla-local", subject=f"{request.method} {request.url.path}", hint="see orchestrator.log"
        )
    )
