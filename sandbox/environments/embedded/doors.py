"""Asks a running orchestrator over HTTP, with the standard library alone: `up` and `status` must be quick."""

from __future__ import annotations

import http.client
import json
import os
import select
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

_TIMEOUT_S = 2.0
_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


class Answer(NamedTuple):
    """What the orchestrator said."""

    status: int
    body: dict[str, Any]


def ask(address: str, path: str, *, timeout_s: float = _TIMEOUT_S) -> Answer | None:
    """GET a JSON object from `host:port`; None if nothing answers there, or nothing that is ours."""
    connection = http.client.HTTPConnection(address, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body: object = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return Answer(response.status, cast("dict[str, Any]", body)) if isinstance(body, dict) else None


def can_run_tasks(address: str) -> bool:
    """Whether the orchestrator takes tasks, and a shepherd is there to run them."""
    ready = ask(address, "/readyz")
    return ready is not None and ready.status == 200 and any(is_connected(one) for one in shepherds(address))


def shepherds(address: str) -> list[dict[str, Any]]:
    """The shepherds that the orchestrator knows; none if it doesn't answer."""
    answer = ask(address, "/v1/shepherds")
    found = answer.body.get("shepherds") if answer is not None and answer.status == 200 else None
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else []


def is_connected(shepherd: dict[str, Any]) -> bool:
    """Whether that shepherd takes tasks at this moment."""
    return bool(shepherd.get("connected"))


def wait_until(ready: Callable[[], bool], *, changes: int | None, deadline: float, look: Callable[[], None]) -> bool:
    """Try `ready` until it says yes, True; or until the deadline (of `time.monotonic`), False.

    Between two tries it pauses 5 ms at first, 100 ms at most, or until `changes` (a descriptor) has news: then `look`
    is called, which may raise. Without a descriptor it is called before every try.
    """
    pause = _FIRST_PAUSE_S
    poll = select.poll()
    if changes is not None:
        poll.register(changes, select.POLLIN)
    while True:
        if ready():
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        news = poll.poll(1000 * min(pause, left))
        if news and changes is not None and not os.read(changes, 4096):
            poll.unregister(changes)  # the other end is closed; `look` finds out why
            changes = None
            look()
        elif news or changes is None:
            look()
        pause = min(1.5 * pause, _LONGEST_PAUSE_S)
