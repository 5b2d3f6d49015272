"""Errors that came over the wire, as the same classes that the orchestrator raised."""

from __future__ import annotations

from typing import Any, cast

import orjson

from sandbox import errors
from sandbox.errors import InternalError, SandboxError, Unavailable


def _all_kinds(root: type[SandboxError]) -> dict[str, type[SandboxError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        found |= _all_kinds(kind)
    return found


_KINDS = {code: kind for code, kind in _all_kinds(SandboxError).items() if kind.__module__ == errors.__name__}


def kind_of(code: str) -> type[SandboxError] | None:
    """The class of a code. A code that is newer than this client counts as its nearest known branch."""
    while code:
        if code in _KINDS:
            return _KINDS[code]
        code = code.rpartition(".")[0]
    return None


def error_of(
    code: str, what: str, *, subject: str = "", why: str = "", hint: str = "", retry_after: float | None = None
) -> SandboxError:
    """The error of that code."""
    kind = kind_of(code) or InternalError
    error = kind.__new__(kind)
    SandboxError.__init__(error, what, subject=subject, why=why, hint=hint, retry_after=retry_after)
    if isinstance(error, errors.BadConfig):
        error.problems = tuple(why.splitlines())
    return error


def error_of_problem(status: int, body: bytes) -> SandboxError:
    """The error of an HTTP answer; one that is no problem of ours is told as what it is."""
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict) and "code" in found:
        return error_of_object(cast("dict[str, Any]", found))
    start = body[:200].decode("utf-8", "replace")
    if status >= 500:
        return Unavailable("The orchestrator could not answer", subject=f"HTTP {status}", why=start)
    return InternalError(
        "The answer is none of azolla-local's",
        subject=f"HTTP {status}",
        why=start,
        hint="check the address: another program may listen there",
    )


def error_of_object(found: dict[str, Any]) -> SandboxError:
    """The error of a problem object."""
    return error_of(
        str(found.get("code", "")),
        str(found.get("title", "")),
        subject=str(found.get("subject", "")),
        why=str(found.get("detail", "")),
        hint=str(found.get("hint", "")),
        retry_after=found.get("retry_after"),
    )
