"""Our errors as gRPC status codes and HTTP status codes: the one table for all transports.

Over gRPC the parts of an error travel as trailing metadata (`azolla-code`, `azolla-hint-bin`), which an Azolla
client doesn't look at.
"""

from __future__ import annotations

from typing import Protocol

import grpc

from sandbox.errors import (
    Conflict,
    IdempotencyConflict,
    InternalError,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSupported,
    Overloaded,
    Refused,
    SandboxError,
    StoreDamaged,
    StoreError,
    Unavailable,
)


class Fault(Protocol):
    """What errors of all our packages have in common."""

    what: str
    subject: str
    why: str
    hint: str


_TABLE: tuple[tuple[type[SandboxError], grpc.StatusCode, int], ...] = (
    # The first row whose class fits counts.
    (InvalidInput, grpc.StatusCode.INVALID_ARGUMENT, 422),
    (NotFound, grpc.StatusCode.NOT_FOUND, 404),
    (IdempotencyConflict, grpc.StatusCode.ALREADY_EXISTS, 409),
    (Conflict, grpc.StatusCode.FAILED_PRECONDITION, 409),
    (NotAllowed, grpc.StatusCode.PERMISSION_DENIED, 403),
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
    (Refused, grpc.StatusCode.FAILED_PRECONDITION, 409),
    (Unavailable, grpc.StatusCode.UNAVAILABLE, 503),
    (StoreDamaged, grpc.StatusCode.DATA_LOSS, 500),
    (StoreError, grpc.StatusCode.UNAVAILABLE, 503),
    (NotSupported, grpc.StatusCode.UNIMPLEMENTED, 501),
    (InternalError, grpc.StatusCode.INTERNAL, 500),
)


def grpc_status(error: SandboxError) -> grpc.StatusCode:
    """The gRPC status code of an error."""
    return next((status for kind, status, _ in _TABLE if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def http_status(error: SandboxError) -> int:
    """The HTTP status code of an error."""
    return next((status for kind, _, status in _TABLE if isinstance(error, kind)), 500)


def sentence(error: Fault) -> str:
    """An error on one line, for transports that have room for one text only."""
    text = f"{error.what} ({error.subject})" if error.subject else error.what
    if error.why:
        text += f": {error.why}"
    return f"{text}. {error.hint}" if error.hint else text
