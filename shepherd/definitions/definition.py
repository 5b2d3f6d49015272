"""What a task name is bound to, whether a task file or a Python function says so.

Standard library only: workers import this, and start-up counts there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

RETRY_FOR_EVER = -1
"""`restart` of a task that is retried until it succeeds."""

ANY_ERROR = "TaskError"
"""The entry of a retry policy that stands for every error type; Azolla's word."""

NEVER_RETRIED = ("BadArguments",)
"""Errors that another attempt with the same input can only repeat."""


class DefinitionKind(StrEnum):
    """What runs."""

    EXECUTABLE = "executable"
    PYTHON = "python"


class Isolation(StrEnum):
    """The tiers that a task may ask for; which ones a host can give is the shepherd's to say."""

    PROCESS = "process"
    RESIDENT = "resident"
    JAIL = "jail"
    FORK = "fork"
    CONTAINER = "container"


class Network(StrEnum):
    """What a task may reach."""

    HOST = "host"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command that must end with 0 before the task's own is started."""

    name: str
    script: str
    """A command line as a shell would split it; no shell runs it. A relative path counts from the task file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How a task runs. None: not given, or no limit. Times in seconds, sizes in bytes, processors as a number."""

    user: str | None = None
    group: str | None = None
    working_directory: Path | None = None
    restart: int | None = None
    """Retries after a failure; -1: without end."""
    retry_delay: float | None = None
    max_time: float | None = None
    kill_signal: str = "SIGTERM"
    grace: float | None = None
    limit_mem: int | None = None
    limit_disk: int | None = None
    limit_cpu: float | None = None
    limit_pids: int | None = None
    isolation: str | None = None
    network: str | None = None
    nice: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """All that is needed to run a task, besides its input. Made by `read_task_file` and `read_module`."""

    name: str
    description: str = ""
    kind: DefinitionKind
    command: str = ""
    """An absolute path, or a name to be looked for in PATH; empty for Python tasks."""
    args: tuple[str, ...] = ()
    module_path: Path | None = None
    function: str | None = None
    is_async: bool = False
    checks: tuple[Check, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values may hold references (`${secret:NAME}`, `${NAME}`), see `shepherd.definitions.references`."""
    service: ServiceSettings = field(default_factory=ServiceSettings)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_on: tuple[str, ...] = ()
    """Error types that are retried; empty: every one."""
    run_if: Mapping[str, str] = field(default_factory=dict[str, str])
    requires: tuple[str, ...] = ()
    tty: bool = False
    source: Path
    line: int = 0
    """Where in `source` the task is declared, from 1."""
    digest: str = ""
    """Changes when the file, or a neighbouring module that it imports, changes."""

    def retry_policy_json(self) -> str | None:
        """Azolla's JSON form of what the definition says about retries; None where it says nothing.

        A delay that is given is a fixed wait; otherwise Azolla's default, which grows and is scattered.
        """
        service = self.service
        if service.restart is None and service.retry_delay is None and not self.retry_on:
            return None
        policy: dict[str, Any] = {"version": 1}
        if service.restart is not None:
            attempts = None if service.restart == RETRY_FOR_EVER else service.restart + 1
            policy["stop"] = {"max_attempts": attempts, "max_delay": None}
        if service.retry_delay is not None:
            policy["wait"] = {"strategy": "fixed", "delay": service.retry_delay}
        included = list(self.retry_on) or [ANY_ERROR]
        excluded = [] if self.retry_on else list(NEVER_RETRIED)
        policy["retry"] = {"include_errors": included, "exclude_errors": excluded}
        return json.dumps(policy)


Definition = TaskDefinition
"""The short name."""


def digest_of(*contents: bytes) -> str:
    """A short hash of one or several files' contents."""
    hasher = blake2b(digest_size=12)
    for content in contents:
        hasher.update(len(content).to_bytes(8, "little"))
        hasher.update(content)
    return hasher.hexdigest()
