"""The control folder of an attempt with a process of its own: what the shepherd writes for the worker, and reads of it."""

from __future__ import annotations

from pathlib import Path

import orjson
import structlog

from shepherd.tiers.contract import Order, Place
from shepherd.tiers.outcomes import reported
from shepherd.wire.payload import End

ASSIGNMENT_FILE = "assignment.json"
HEARTBEAT_FILE = "heartbeat.json"
OUTCOME_FILE = "outcome.json"

_log = structlog.get_logger(__name__)


def write_assignment(order: Order, place: Place, started_ms: int) -> Path:
    """What `shepherd.workers.one_attempt` reads; the file's path. Raises OSError."""
    task, definition = order.assignment, order.definition
    limit = order.time_limit_s
    file = place.control / ASSIGNMENT_FILE
    content = orjson.dumps(
        {
            "task_id": task.task_id,
            "attempt": task.attempt,
            "name": task.name,
            "domain": task.domain,
            "queue": task.queue,
            "kind": definition.kind.value,
            "command": definition.command,
            "args_list": list(definition.args),
            "module_path": None if definition.module_path is None else str(definition.module_path),
            "function": definition.function,
            "is_async": definition.is_async,
            "args": task.args,
            "kwargs": task.kwargs,
            "environment": dict(place.environment),
            "working_directory": str(definition.service.working_directory or place.work),
            "control_folder": str(place.control),
            "deadline_ms": None if limit is None else started_ms + round(limit * 1000),
            "labels": dict(task.labels),
            "created_ms": task.created_ms,
            "max_time_s": limit,
            "checks": [{"name": check.name, "script": check.script} for check in definition.checks],
        }
    )
    file.write_bytes(content)
    return file


def read_outcome(control: Path, isolation: str) -> End | None:
    """The outcome that a worker wrote, or None if there is none that can be read."""
    file = control / OUTCOME_FILE
    try:
        return reported(orjson.loads(file.read_bytes()), isolation)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("an outcome can't be read", file=str(file), error=str(error))
        return None


def read_heartbeat(control: Path) -> tuple[int, str] | None:
    """Time (Unix milliseconds) and note of the last heartbeat that a task wrote; None if it wrote none."""
    try:
        value = orjson.loads((control / HEARTBEAT_FILE).read_bytes())
        return int(value["time_ms"]), str(value["note"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not by our worker: nobody is worse off without it
