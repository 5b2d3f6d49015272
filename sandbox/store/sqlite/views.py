"""Views with words and ISO times, for people and for `azolla-local sql`. Made anew whenever they differ."""

# ruff: noqa: S608 - the names put into statements are our own; values are bound

from __future__ import annotations


def _iso(column: str) -> str:
    return f"CASE WHEN {column} > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch') END"


VIEWS: dict[str, str] = {
    "tasks_view": f"""CREATE VIEW tasks_view AS
SELECT tasks.task_id, tasks.name, coalesce(task_statuses.word, tasks.status) AS status, tasks.domain, tasks.queue,
  tasks.attempt AS attempts, {_iso("tasks.created_ms")} AS created, {_iso("tasks.started_ms")} AS started,
  {_iso("tasks.ended_ms")} AS ended,
  CASE WHEN tasks.ended_ms > 0 AND tasks.started_ms > 0
    THEN (tasks.ended_ms - tasks.started_ms) / 1000.0 END AS seconds,
  tasks.priority, tasks.args, tasks.kwargs, tasks.result, tasks.error_type, tasks.error_message,
  {_iso("tasks.due_ms")} AS due, tasks.labels, tasks.shepherd_id, tasks.idempotency_key, tasks.flow_id,
  tasks.cancel_requested
FROM tasks LEFT JOIN task_statuses ON task_statuses.status = tasks.status""",
    "events_view": f"""CREATE VIEW events_view AS
SELECT events.seq, {_iso("events.time_ms")} AS time, coalesce(event_types.word, events.type) AS type,
  events.domain, events.task_id, events.attempt, events.shepherd_id, events.metadata
FROM events LEFT JOIN event_types ON event_types.type = events.type""",
    "attempts_view": f"""CREATE VIEW attempts_view AS
SELECT ended.task_id, ended.attempt, json_extract(ended.metadata, '$.outcome') AS outcome, ended.shepherd_id,
  {_iso("json_extract(ended.metadata, '$.started_ms')")} AS started, {_iso("ended.time_ms")} AS ended,
  json_extract(ended.metadata, '$.exit_code') AS exit_code,
  json_extract(ended.metadata, '$.signal') AS signal,
  json_extract(ended.metadata, '$.error_type') AS error_type,
  json_extract(ended.metadata, '$.error_message') AS error_message,
  json_extract(ended.metadata, '$.cpu_us') / 1e6 AS cpu_seconds,
  json_extract(ended.metadata, '$.peak_memory_bytes') AS peak_memory_bytes,
  json_extract(ended.metadata, '$.log_bytes') AS log_bytes,
  json_extract(ended.metadata, '$.isolation') AS isolation
FROM events AS ended WHERE ended.type = 5""",
}
"""By name; each text is the statement exactly as SQLite keeps it."""
