"""Completion of task names and ids in the shell, from the API: in 200 ms or not at all, and never with a message."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import typer

from sandbox.cli.invocation import current
from sandbox.errors import SandboxError

LIMIT_S = 0.2
_MOST = 50


def task_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of task definitions that start so, with their descriptions."""
    known = _ask(ctx, "/v1/definitions", "definitions")
    return [(one["name"], one.get("description", "")) for one in known if one["name"].startswith(incomplete)]


def task_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of the newest tasks that start so, with name and status."""
    return _ids(ctx, incomplete, "")


def unfinished_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The same for tasks that have not ended."""
    return _ids(ctx, incomplete, "&status=unfinished")


def statuses(incomplete: str) -> list[str]:
    """Words of statuses that start so."""
    from sandbox.model.status import TaskStatus

    words = [status.word for status in TaskStatus] + ["unfinished", "ended", "unsuccessful"]
    return [word for word in words if word.startswith(incomplete)]


def _ids(ctx: typer.Context, incomplete: str, which: str) -> list[tuple[str, str]]:
    newest = _ask(ctx, f"/v1/tasks?limit={_MOST * 4}{which}", "tasks")
    matching = [one for one in newest if one["task_id"].startswith(incomplete.lower())]
    return [(one["task_id"], f"{one['name']} {one['status']}") for one in matching[:_MOST]]


def _ask(ctx: typer.Context, path: str, key: str) -> list[dict[str, Any]]:
    from sandbox.client.address import find_url

    try:
        inv = current(ctx)
        address = urlsplit(find_url(inv.url, inv.env))
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=LIMIT_S)
        try:
            connection.request("GET", path)
            found: Any = json.loads(connection.getresponse().read())
            return list(found[key])
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException, SandboxError):
        return []  # a shell that completes must not print errors into the line that is being typed
