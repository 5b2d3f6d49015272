"""The fields that a name template may use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from hashlib import blake2s

from logsinks.identity import AttemptIdentity

ID_WIDTH = 36
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


class Shape(Enum):
    """What is known of a rendered value, as far as the proof of uniqueness needs it."""

    ID = "the task's id, of fixed width"
    FIXED = "of fixed width"
    DIGITS = "a number"
    FREE = "any length"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it means, for people, and how its value is made."""

    meaning: str
    example: str
    shape: Shape
    value: Callable[[AttemptIdentity], str]
    takes: str = ""
    """What may follow a colon: "time" (strftime), "number" (like 03d), or nothing."""


def fixed_id(task_id: str) -> str:
    """The id in 36 characters: a UUID as it is, any other as a digest, so that names can be taken apart."""
    if _UUID.match(task_id):
        return task_id
    return blake2s(task_id.encode("utf-8", "surrogatepass"), digest_size=ID_WIDTH // 2).hexdigest()


def _hash(identity: AttemptIdentity, width: int) -> str:
    text = f"{identity.task_id}.{identity.attempt}".encode("utf-8", "surrogatepass")
    return blake2s(text, digest_size=8).hexdigest()[:width]


def _started(pattern: str) -> Callable[[AttemptIdentity], str]:
    return lambda identity: identity.started.astimezone(UTC).strftime(pattern)


FIELDS: dict[str, Field] = {
    "date": Field("day on which the attempt started (UTC)", "20260314", Shape.FIXED, _started("%Y%m%d"), "time"),
    "time": Field("time at which the attempt started (UTC)", "150926", Shape.FIXED, _started("%H%M%S"), "time"),
    "started": Field("both, as ISO 8601 basic", "20260314T150926Z", Shape.FIXED, _started("%Y%m%dT%H%M%SZ"), "time"),
    "started_ms": Field(
        "milliseconds since the Unix epoch",
        "1773500966535",
        Shape.DIGITS,
        lambda identity: str(int(identity.started.timestamp() * 1000)),
    ),
    "task_id": Field(
        "id of the task", "019cec9c-4d07-8001-8000-0000deadbeef", Shape.ID, lambda identity: fixed_id(identity.task_id)
    ),
    "attempt_id": Field(
        "short for {task_id}-{attempt}",
        "019cec9c-4d07-8001-8000-0000deadbeef-1",
        Shape.ID,
        lambda identity: f"{fixed_id(identity.task_id)}-{identity.attempt}",
    ),
    "attempt": Field("1, 2, ...", "1", Shape.DIGITS, lambda identity: str(identity.attempt), "number"),
    "task_name": Field("name of the task", "render-report", Shape.FREE, lambda identity: identity.task_name),
    "domain": Field("domain of the task", "default", Shape.FREE, lambda identity: identity.domain),
    "queue": Field("queue that the task waited in", "default", Shape.FREE, lambda identity: identity.queue),
    "shepherd": Field("shepherd that ran the attempt", "local", Shape.FREE, lambda identity: identity.shepherd),
    "host": Field("host that ran the attempt", "laptop", Shape.FREE, lambda identity: identity.host),
    "flow_id": Field("id of the flow, or -", "-", Shape.FREE, lambda identity: identity.flow_id),
    "hash2": Field("two digits that spread attempts", "7f", Shape.FIXED, lambda identity: _hash(identity, 2)),
    "hash4": Field("four such digits", "7f3a", Shape.FIXED, lambda identity: _hash(identity, 4)),
}
"""Beside these there is `label.NAME`, any label of the task, or `-`."""

FIXED_TIME = frozenset("YmdHMSjyf")
"""Directives of strftime whose results have one width."""
