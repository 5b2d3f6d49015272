"""What an environment can do, and what it tells. Each kind of environment implements `Environment`.

Promises of every implementation:

- `up` is idempotent: on what runs it changes nothing, and says what differs from what is wanted. It mends what is
  half-started. It returns at the first proof that a task can run, or raises and leaves nothing half-started behind.
- `down` is idempotent, and leaves no process behind. It keeps state unless told otherwise.
- `status` changes nothing.
- Two commands that change the same environment wait for each other, or raise EnvironmentBusy.

Errors: those of `sandbox.errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """How to start."""

    wait: bool = True
    """False: return as soon as the processes are on their way."""
    timeout_s: float = 30.0
    restart: bool = False
    """Stop first what runs, so that the configuration of now counts."""
    foreground: bool = False
    """The environment ends with this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownOptions:
    """How to stop."""

    now: bool = False
    """Don't let running tasks finish; they are lost, and tried again after the next start."""
    timeout_s: float | None = None
    """Seconds for everything to end in good order; then as if `now` were given. None: as configured."""
    volumes: bool = False
    """Delete the state, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpReport:
    """What is up now."""

    name: str
    http: str
    grpc: str
    state_folder: Path
    logs: Path
    task_folders: tuple[str, ...]
    already_running: bool
    ready: bool
    """Whether a task can run; only False if nobody waited for it."""
    definitions: int | None = None
    """How many task definitions there are; None if not known yet."""
    broken_definitions: int = 0
    notes: tuple[str, ...] = ()
    """What the user should know: other ports than usual, a configuration that isn't in effect yet."""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The form of `up --json`; part of its contract."""
        return {
            "name": self.name,
            "url": f"http://{self.http}",
            "http": self.http,
            "grpc": self.grpc,
            "state": str(self.state_folder),
            "logs": str(self.logs),
            "tasks": list(self.task_folders),
            "definitions": self.definitions,
            "broken_definitions": self.broken_definitions,
            "already_running": self.already_running,
            "ready": self.ready,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DownReport:
    """What was stopped."""

    name: str
    was_running: bool
    killed: tuple[str, ...] = ()
    """Processes that didn't end by themselves, as `pid name`."""
    deleted: bool = False
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The form of `down --json`; part of its contract."""
        return {
            "name": self.name,
            "was_running": self.was_running,
            "killed": list(self.killed),
            "deleted": self.deleted,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """One process of an environment."""

    name: str
    state: str
    """`running`, `waiting` (to be started again), `failed` (given up), `stopped`, `gone` (ended, nobody restarts it)."""
    pid: int | None
    uptime_s: float | None
    memory_bytes: int | None
    """Resident memory of the process and its children; None if it isn't known."""
    restarts: int
    last_exit: str = ""
    """In words, with the last line of its log; empty if it never ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStatus:
    """How an environment is."""

    name: str
    state: str
    """`running`, `starting` (doesn't answer yet), `degraded` (something is missing), `stopping`, `stopped`."""
    state_folder: Path
    http: str = ""
    grpc: str = ""
    logs: str = ""
    version: str = ""
    started_ms: int | None = None
    parts: tuple[PartStatus, ...] = ()
    tasks: dict[str, int] = field(default_factory=dict[str, int])
    """Number of tasks by status."""
    shepherds: tuple[dict[str, Any], ...] = ()
    task_folders: tuple[str, ...] = ()
    database_bytes: int | None = None
    problems: tuple[str, ...] = ()
    """What is wrong, a sentence each, with what to do."""
    answers: bool = False
    """Whether the orchestrator takes tasks."""

    def to_json(self) -> dict[str, Any]:
        """The form of `status --json`; part of its contract."""
        return {
            "name": self.name,
            "state": self.state,
            "url": f"http://{self.http}" if self.http else None,
            "http": self.http or None,
            "grpc": self.grpc or None,
            "version": self.version or None,
            "started_ms": self.started_ms,
            "state_folder": str(self.state_folder),
            "logs": self.logs or None,
            "task_folders": list(self.task_folders),
            "parts": {
                part.name: {
                    "state": part.state,
                    "pid": part.pid,
                    "uptime_s": None if part.uptime_s is None else round(part.uptime_s, 1),
                    "memory_bytes": part.memory_bytes,
                    "restarts": part.restarts,
                    "last_exit": part.last_exit or None,
                }
                for part in self.parts
            },
            "tasks": self.tasks,
            "shepherds": list(self.shepherds),
            "database_bytes": self.database_bytes,
            "problems": list(self.problems),
        }


Say = Callable[[str], None]
"""Takes a remark for the user while something takes its time."""


class Environment(Protocol):
    """A running sandbox, or one that could run."""

    def up(self, options: UpOptions, say: Say) -> UpReport: ...

    def down(self, options: DownOptions, say: Say) -> DownReport: ...

    def status(self) -> EnvironmentStatus: ...
