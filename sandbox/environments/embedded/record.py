"""`environment.json`: what runs. Written by the supervisor alone, whole and atomically; read by every command.

::

    {"format": 1, "name": "default", "state": "running", "version": "0.1.0", "python": "/…/python",
     "http": "127.0.0.1:52711", "grpc": "127.0.0.1:52710", "url": "http://127.0.0.1:52711",
     "logs": "/…/logs", "tasks": ["/…/tasks"], "started_ms": …, "supervisor": [pid, start],
     "parts": {"orchestrator": {"process": [pid, start], "state": "running", "since_ms": …, "restarts": 0,
                                "last_exit": {"code": 7, "signal": null, "at_ms": …, "lines": ["error: …"]}}, …}}

It is removed when the environment is down, so that its addresses are never taken for those of another environment.
Standard library only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from sandbox.environments.embedded.pid_files import ProcessMark

FORMAT = 1
PERMANENT_EXITS = frozenset({2, 4, 5, 7})
"""Wrong usage, denied, conflict, store: another start would end the same way. docs/exit-codes.md has the table."""


class LastExit(NamedTuple):
    """How a part ended last time, unasked."""

    code: int | None
    """None if it isn't known: the part was the child of an earlier supervisor."""
    signal: int | None
    at_ms: int
    lines: tuple[str, ...]
    """The end of what it wrote into its own log."""

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "signal": self.signal, "at_ms": self.at_ms, "lines": list(self.lines)}


class PartRecord(NamedTuple):
    """A process of the environment, as the supervisor knows it."""

    process: ProcessMark | None
    state: str
    """`running`, `waiting` (for its next start), `failed` (for good), `stopped`."""
    since_ms: int
    restarts: int
    last_exit: LastExit | None

    def to_json(self) -> dict[str, Any]:
        return {
            "process": self.process.to_json() if self.process else None,
            "state": self.state,
            "since_ms": self.since_ms,
            "restarts": self.restarts,
            "last_exit": self.last_exit.to_json() if self.last_exit else None,
        }


class Record(NamedTuple):
    """The whole file."""

    name: str
    state: str
    """`running` or `stopping`."""
    version: str
    python: str
    http: str
    grpc: str
    logs: str
    tasks: tuple[str, ...]
    started_ms: int
    supervisor: ProcessMark
    parts: Mapping[str, PartRecord]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            **self._asdict(),
            "url": f"http://{self.http}",
            "supervisor": self.supervisor.to_json(),
            "parts": {name: part.to_json() for name, part in self.parts.items()},
        }

    def alive(self) -> bool:
        """Whether its supervisor still runs."""
        return self.supervisor.alive()

    def running_parts(self) -> dict[str, ProcessMark]:
        """The processes that still run, by the name of the part."""
        return {name: part.process for name, part in self.parts.items() if part.process and part.process.alive()}

    def failed_parts(self) -> dict[str, PartRecord]:
        """The parts that were given up."""
        return {name: part for name, part in self.parts.items() if part.state == "failed"}


def read_record(path: Path) -> Record | None:
    """What runs; None if there is no such file, or nothing in it can be used: both mean that nothing is known to run."""
    try:
        return _record(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_json(path: Path, value: object) -> None:
    """Replace the file at once, readable by its owner alone. Raises OSError, and leaves the old one as it was."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  (a descriptor, not a path)
            json.dump(value, file, indent=1)
            file.write("\n")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _record(value: dict[str, Any]) -> Record | None:
    supervisor = ProcessMark.from_json(value["supervisor"])
    if value["format"] != FORMAT or supervisor is None:
        return None
    return Record(
        name=str(value["name"]),
        state=str(value["state"]),
        version=str(value["version"]),
        python=str(value["python"]),
        http=str(value["http"]),
        grpc=str(value["grpc"]),
        logs=str(value["logs"]),
        tasks=tuple(str(folder) for folder in value["tasks"]),
        started_ms=int(value["started_ms"]),
        supervisor=supervisor,
        parts={name: _part(part) for name, part in cast("dict[str, dict[str, Any]]", value["parts"]).items()},
    )


def _part(value: dict[str, Any]) -> PartRecord:
    ended: dict[str, Any] | None = value["last_exit"]
    return PartRecord(
        process=ProcessMark.from_json(value["process"]),
        state=str(value["state"]),
        since_ms=int(value["since_ms"]),
        restarts=int(value["restarts"]),
        last_exit=LastExit(ended["code"], ended["signal"], ended["at_ms"], tuple(ended["lines"])) if ended else None,
    )
