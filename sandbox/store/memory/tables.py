"""What the double holds, and how a group changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from sandbox.model.event import AttemptEnded, Event, LogOpened, ShepherdConnected, ShepherdLeft, ShepherdLost
from sandbox.model.task import EndedTask, Task
from sandbox.store.contract import EventRecord, LogRecord, ShepherdRecord, TaskRecord, WriteGroup
from sandbox.store.metadata import METADATA

Change = Callable[["Tables"], None]


@dataclass(slots=True)
class Tables:
    """By their keys; tasks and events in the order of commits."""

    tasks: dict[str, TaskRecord] = field(default_factory=dict[str, TaskRecord])
    events: list[EventRecord] = field(default_factory=list[EventRecord])
    keys: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    logs: dict[tuple[str, int, str], str] = field(default_factory=dict[tuple[str, int, str], str])
    shepherds: dict[str, ShepherdRecord] = field(default_factory=dict[str, ShepherdRecord])
    domains: dict[str, int] = field(default_factory=dict[str, int])

    def logs_of(self, task_id: str) -> list[LogRecord]:
        return [
            LogRecord(task_id=task_id, attempt=attempt, sink=sink, locator=locator)
            for (owner, attempt, sink), locator in sorted(self.logs.items())
            if owner == task_id
        ]


def change_of(group: WriteGroup) -> Change:
    """Read the group now; what comes out puts it into tables later."""
    events = [_record(event) for event in group.events]
    aside = [event for event in group.events if isinstance(event, _ASIDE)]
    created = [_task_record(task) for task in group.created]
    changed = {task.task_id: _changes(task) for task in group.changed}
    started = {
        event.task_id: event.started_ms
        for event in group.events
        if isinstance(event, AttemptEnded) and event.started_ms
    }
    ended = [(task.task_id, _end(task, started.get(task.task_id, 0))) for task in group.ended]

    def apply(tables: Tables) -> None:
        for event in events:
            tables.events.append(replace(event, seq=len(tables.events) + 1))
        for record in created:
            tables.tasks[record.task_id] = record
            if record.idempotency_key:
                tables.keys[record.domain, record.idempotency_key] = record.task_id
        for task_id, changes in (*changed.items(), *ended):
            if task_id in tables.tasks:
                tables.tasks[task_id] = replace(tables.tasks[task_id], **changes)
        for event in aside:
            _put_aside(tables, event)

    return apply


_ASIDE = LogOpened | ShepherdConnected | ShepherdLost | ShepherdLeft


def _record(event: Event) -> EventRecord:
    made = METADATA[type(event)](event)
    return EventRecord(
        seq=0,
        time_ms=event.time_ms,
        type=int(event.type),
        domain=event.domain,
        task_id=event.task_id,
        attempt=event.attempt,
        shepherd_id=event.shepherd_id,
        metadata={} if made is None else orjson.loads(orjson.dumps(made)),
    )


def _task_record(task: Task) -> TaskRecord:
    return TaskRecord(
        task_id=task.task_id,
        domain=task.domain,
        queue=task.queue,
        name=task.name,
        created_ms=task.created_ms,
        ended_ms=0,
        args=task.args,
        kwargs=task.kwargs,
        retry_policy=None if task.retry_policy is None else task.retry_policy.to_json(),
        timeout_ms=task.timeout_ms,
        labels=dict(task.labels or {}),
        idempotency_key=task.idempotency_key,
        flow_id=task.flow_id,
        result=None,
        error_type="",
        error_message="",
        error_data="",
        retriable=False,
        **_changes(task),
    )


def _changes(task: Task) -> dict[str, Any]:
    return {
        "status": task.status,
        "priority": task.priority,
        "attempt": task.attempt,
        "uncounted": task.uncounted,
        "lost": task.lost,
        "due_ms": task.due_ms,
        "started_ms": task.started_ms,
        "shepherd_id": task.shepherd_id,
        "cancel_requested": task.cancel_requested,
    }


def _end(task: EndedTask, started_ms: int) -> dict[str, Any]:
    return {
        "status": task.status,
        "attempt": task.attempt,
        "ended_ms": task.ended_ms,
        "result": task.result,
        "error_type": task.error_type,
        "error_message": task.error_message,
        "error_data": "" if task.error_data == "{}" else task.error_data,
        "retriable": task.retriable,
        **({"started_ms": started_ms} if started_ms else {}),
    }


def _put_aside(tables: Tables, event: Event) -> None:
    if isinstance(event, LogOpened):
        tables.logs[event.task_id, event.attempt, event.sink] = event.locator
        return
    known = tables.shepherds.get(event.shepherd_id)
    connected = isinstance(event, ShepherdConnected)
    if known is None:
        known = ShepherdRecord(
            shepherd_id=event.shepherd_id,
            epoch=0,
            queue="",
            host="",
            version="",
            first_seen_ms=event.time_ms,
            last_seen_ms=event.time_ms,
            connected=connected,
        )
    if isinstance(event, ShepherdConnected):
        known = replace(known, epoch=event.epoch, queue=event.queue, host=event.host, version=event.version)
    tables.shepherds[event.shepherd_id] = replace(known, last_seen_ms=event.time_ms, connected=connected)
