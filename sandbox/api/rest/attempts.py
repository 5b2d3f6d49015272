"""The attempts of a task, put together from its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.model.event import EventType
from sandbox.store.contract import EventRecord

_OF_THE_END = (
    "outcome",
    "error_type",
    "error_message",
    "exit_code",
    "signal",
    "peak_memory_bytes",
    "cpu_us",
    "log_bytes",
    "log_lines",
    "isolation",
    "left_behind",
)


def attempts_of(events: Sequence[EventRecord]) -> list[dict[str, Any]]:
    """One object for each attempt, oldest first; what isn't known (yet) is absent.

    `next_due_ms`: when the attempt after it is due, of those that are tried again. `logs`: where sinks keep
    the log. `refused`: reasons why later results for it were refused.
    """
    attempts: dict[int, dict[str, Any]] = {}
    for record in events:
        if record.attempt == 0:
            continue
        attempt = attempts.setdefault(record.attempt, {"attempt": record.attempt})
        if record.shepherd_id and record.type != EventType.RESULT_REFUSED:
            attempt["shepherd_id"] = record.shepherd_id
        _add(attempt, record)
    return [attempts[number] for number in sorted(attempts)]


def _add(attempt: dict[str, Any], record: EventRecord) -> None:
    metadata = record.metadata
    match record.type:
        case EventType.ATTEMPT_ASSIGNED:
            attempt["assigned_ms"] = record.time_ms
        case EventType.ATTEMPT_STARTED:
            attempt["started_ms"] = metadata.get("started_ms") or record.time_ms
        case EventType.ATTEMPT_ENDED:
            if metadata.get("started_ms"):
                attempt["started_ms"] = metadata["started_ms"]
            attempt["ended_ms"] = record.time_ms
            attempt |= {key: metadata[key] for key in _OF_THE_END if key in metadata}
        case EventType.TASK_RETRYING:
            attempt["next_due_ms"] = metadata.get("due_ms")
        case EventType.LOG_OPENED:
            log = {"sink": metadata.get("sink"), "locator": metadata.get("locator")}
            logs: list[Any] = attempt.setdefault("logs", [])
            if log not in logs:  # a shepherd that was restarted says it again
                logs.append(log)
        case EventType.RESULT_REFUSED:
            attempt.setdefault("refused", []).append(metadata.get("reason"))
        case _:
            pass
