"""What is written, as JSON arrays of rows: the form in which one statement carries a whole commit.

A group becomes one or more :class:`Parcel`, each with the rows of every kind as the inside of a JSON array, so
that parcels of several groups are joined by putting commas between them. Each row is an array; the places of
its values are those of the column tuples here, which `statements` uses too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, cast

import orjson

from sandbox.errors import StoreError
from sandbox.model.event import AttemptEnded, Event, LogOpened, ShepherdConnected, ShepherdLeft, ShepherdLost
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import WriteGroup
from sandbox.store.metadata import METADATA

EVENT_COLUMNS = ("time_ms", "type", "domain", "task_id", "attempt", "shepherd_id", "metadata")
CREATED_COLUMNS = (
    *("task_id", "domain", "queue", "name", "status", "priority", "attempt", "uncounted", "lost", "created_ms"),
    *("due_ms", "started_ms", "shepherd_id", "args", "kwargs", "retry_policy", "timeout_ms", "labels"),
    *("idempotency_key", "flow_id", "cancel_requested"),
)
CHANGED_COLUMNS = (
    *("task_id", "status", "priority", "attempt", "uncounted", "lost", "due_ms", "started_ms", "shepherd_id"),
    "cancel_requested",
)
ENDED_COLUMNS = (
    *("task_id", "status", "attempt", "ended_ms", "result", "error_type", "error_message", "error_data", "retriable"),
    "started_ms",
)
KEY_COLUMNS = ("domain", "key", "task_id")
LOG_COLUMNS = ("task_id", "attempt", "sink", "locator")
SHEPHERD_COLUMNS = ("shepherd_id", "epoch", "queue", "host", "version", "last_seen_ms", "connected")

NO_ERROR_DATA = "{}"
"""Kept as NULL, since nearly every task has it."""

FEW_ROWS = 3
"""Up to here a commit is quicker as single statements; see `statements`."""

PARCEL_BYTES = 64 * 1024 * 1024
"""Rows of one kind beyond this are cut in two: SQLite takes no text above 1 GB."""

_NUL = "\0"
_NUL_ESCAPED = b"\\u0000"
_NUL_SHOWN = "\u2400"
"""Put in the place of NUL, at which SQLite's JSON functions cut a text short."""


class FewRows(NamedTuple):
    """The rows of a very small group as they are, by kind."""

    events: Sequence[Sequence[Any]]
    created: Sequence[Sequence[Any]]
    changed: Sequence[Sequence[Any]]
    ended: Sequence[Sequence[Any]]

    def parcels(self) -> list[Parcel]:
        """In the other form, to be committed together with more."""
        return _parcels([_bodies(rows) for rows in (*self, (), (), ())])

    def event_rows(self) -> list[Sequence[Any]]:
        """The events with their metadata as the text that is kept."""
        return [row if row[-1] is None else (*row[:-1], orjson.dumps(row[-1]).decode()) for row in self.events]


class Parcel(NamedTuple):
    """Rows by kind, as the inside of a JSON array; empty where there are none."""

    events: bytes = b""
    created: bytes = b""
    changed: bytes = b""
    ended: bytes = b""
    keys: bytes = b""
    logs: bytes = b""
    shepherds: bytes = b""


@dataclass(slots=True, frozen=True, kw_only=True)
class Encoded:
    """A group, cut loose from the objects that it was made of: as parcels, or as few rows."""

    parcels: list[Parcel] = field(default_factory=list[Parcel])
    few: FewRows | None = None
    rows: int
    size: int
    """Bytes."""
    changed_ids: frozenset[str]
    """Two changes of one task can't share a statement: the later one has to win."""


@lru_cache(maxsize=1024)
def _policy_json(policy: RetryPolicy) -> str:
    return policy.to_json()


def encode(group: WriteGroup) -> Encoded:
    """Read everything that is needed from the group now. StoreError if a value can't be kept at all."""
    try:
        return _encode(group)
    except TypeError as error:
        raise StoreError(
            "a task or event can't be kept",
            why=f"one of its values is no text in UTF-8, or no number of 64 bits: {error}",
            hint="nothing of its group was kept",
        ) from error


def _encode(group: WriteGroup) -> Encoded:
    events = [_event_row(event) for event in group.events]
    started: dict[str, int] = {}
    logs: list[Sequence[Any]] = []
    shepherds: list[Sequence[Any]] = []
    for event in group.events:
        kind = type(event)
        if kind is AttemptEnded:
            started_ms: int = event.started_ms  # type: ignore[attr-defined]
            if started_ms:
                started[event.task_id] = started_ms
        elif kind in _ASIDE:
            if isinstance(event, LogOpened):
                logs.append((event.task_id, event.attempt, event.sink, event.locator))
            else:
                shepherds.append(_shepherd_row(event))
    created = [_created_row(task) for task in group.created]
    keys = [(task.domain, task.idempotency_key, task.task_id) for task in group.created if task.idempotency_key]
    changed = {task.task_id: _changed_row(task) for task in group.changed}
    if changed and created:
        # Their rows are made of the same objects, so they say the same.
        for task in group.created:
            changed.pop(task.task_id, None)
    ended = [_ended_row(task, started.get(task.task_id)) for task in group.ended]
    kinds = [events, created, list(changed.values()), ended, keys, logs, shepherds]
    rows = sum(map(len, kinds))
    if 0 < rows <= FEW_ROWS and not (keys or logs or shepherds):
        body = orjson.dumps(kinds)  # refuses here and now what can't be kept
        if _NUL_ESCAPED not in body:
            few = FewRows(events, created, kinds[2], ended)
            return Encoded(few=few, rows=rows, size=len(body), changed_ids=frozenset(changed))
    parcels = _parcels([_bodies(rows) for rows in kinds])
    size = sum(len(body) for parcel in parcels for body in parcel)
    return Encoded(parcels=parcels, rows=rows, size=size, changed_ids=frozenset(changed))


def _event_row(event: Event) -> Sequence[Any]:
    kind = type(event)
    return (
        event.time_ms,
        _NUMBERS[kind],
        event.domain or None,
        event.task_id or None,
        event.attempt,
        event.shepherd_id or None,
        METADATA[kind](event),
    )


def _created_row(task: Task) -> Sequence[Any]:
    labels = task.labels
    policy = task.retry_policy
    return (
        task.task_id,
        task.domain,
        task.queue,
        task.name,
        task.status,
        task.priority,
        task.attempt,
        task.uncounted,
        task.lost,
        task.created_ms,
        task.due_ms,
        task.started_ms,
        task.shepherd_id or None,
        task.args,
        task.kwargs,
        None if policy is None else _policy_json(policy),
        task.timeout_ms,
        orjson.dumps(dict(labels)).decode() if labels else None,
        task.idempotency_key,
        task.flow_id,
        task.cancel_requested,
    )


def _changed_row(task: Task) -> Sequence[Any]:
    return (
        task.task_id,
        task.status,
        task.priority,
        task.attempt,
        task.uncounted,
        task.lost,
        task.due_ms,
        task.started_ms,
        task.shepherd_id or None,
        task.cancel_requested,
    )


def _ended_row(task: EndedTask, started_ms: int | None) -> Sequence[Any]:
    return (
        task.task_id,
        task.status,
        task.attempt,
        task.ended_ms,
        task.result,
        task.error_type or None,
        task.error_message or None,
        None if task.error_data == NO_ERROR_DATA else task.error_data,
        task.retriable,
        started_ms,
    )


def _shepherd_row(event: Event) -> Sequence[Any]:
    if isinstance(event, ShepherdConnected):
        return (event.shepherd_id, event.epoch, event.queue, event.host, event.version, event.time_ms, 1)
    return (event.shepherd_id, None, None, None, None, event.time_ms, 0)


def _bodies(rows: Sequence[Sequence[Any]]) -> list[bytes]:
    """The rows without the outer brackets; more than one piece if they are very long."""
    if not rows:
        return []
    body = orjson.dumps(rows)[1:-1]
    if len(body) > PARCEL_BYTES and len(rows) > 1:
        middle = len(rows) // 2
        return _bodies(rows[:middle]) + _bodies(rows[middle:])
    if _NUL_ESCAPED in body:
        cleaned = orjson.dumps([_without_nul(row) for row in rows])
        body = cleaned[1:-1]
    return [body]


def _without_nul(value: Any) -> Any:
    """JSON inside of the values keeps its own escapes; only the character itself goes."""
    match value:
        case str():
            return value.replace(_NUL, _NUL_SHOWN)
        case dict():
            found = cast("dict[str, Any]", value)
            return {_without_nul(key): _without_nul(inner) for key, inner in found.items()}
        case tuple() | list():
            return [_without_nul(inner) for inner in cast("Sequence[Any]", value)]
        case _:
            return value


def _parcels(kinds: Iterable[list[bytes]]) -> list[Parcel]:
    pieces = list(kinds)
    if max(map(len, pieces)) == 1:
        return [Parcel(*(piece[0] if piece else b"" for piece in pieces))]
    # Kinds one after the other: tasks have to be there before they are changed.
    order = Parcel._fields
    return [Parcel(**{name: body}) for name, bodies in zip(order, pieces, strict=True) for body in bodies]


_ASIDE = frozenset({LogOpened, ShepherdConnected, ShepherdLost, ShepherdLeft})
_NUMBERS: dict[type[Event], int] = {kind: int(kind.type) for kind in METADATA}
