"""Embedded environments whose orchestrator and shepherd are `fake_part.py`: for tests of supervising itself."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.config.locations import StateFolder
from sandbox.config.sources import load
from sandbox.environments.contract import DownOptions, UpOptions, UpReport
from sandbox.environments.embedded.doors import wait_until
from sandbox.environments.embedded.environment import EmbeddedEnvironment
from sandbox.environments.embedded.pid_files import ProcessMark
from sandbox.environments.embedded.processes import remaining
from sandbox.environments.embedded.record import Record, read_record

_SCRIPT = str(Path(__file__).with_name("fake_part.py"))
FREE = {("orchestrator", "grpc_port"): ("--grpc-port", 0), ("orchestrator", "http_port"): ("--http-port", 0)}


def commands(orchestrator: str = "serve", shepherd: str = "wait") -> dict[str, tuple[str, ...]]:
    """The commands of parts that behave so."""
    return {
        "orchestrator": (sys.executable, "-I", "-S", _SCRIPT, orchestrator),
        "shepherd": (sys.executable, "-I", "-S", _SCRIPT, shepherd),
    }


class FakeEnvironments:
    """Makes them, and stops them at the end of the test."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._made: dict[int, EmbeddedEnvironment] = {}

    def make(
        self, name: str = "default", orchestrator: str = "serve", shepherd: str = "wait", **options: Any
    ) -> EmbeddedEnvironment:
        """One of that name; `flags` and `file` are those of `load`."""
        configuration = load(
            file=options.get("file"), environ={}, flags=options.get("flags", FREE), working_folder=options.get("cwd")
        )
        made = EmbeddedEnvironment(StateFolder.of(name), configuration, commands=commands(orchestrator, shepherd))
        self._made[id(made)] = made
        return made

    def up(self, environment: EmbeddedEnvironment, **options: Any) -> UpReport:
        """Start it."""
        return environment.up(UpOptions(**{"timeout_s": 20.0, **options}), self.said.append)

    def close(self) -> None:
        """Stop all."""
        for environment in self._made.values():
            environment.down(DownOptions(now=True), self.said.append)


def record_of(environment: EmbeddedEnvironment) -> Record:
    """What runs, as the supervisor has written it."""
    record = read_record(environment.folder.record)
    assert record is not None
    return record


def pid_of(environment: EmbeddedEnvironment, part: str) -> int:
    """The process of a part that runs."""
    process = record_of(environment).parts[part].process
    assert process is not None
    return process.pid


def mark_of(environment: EmbeddedEnvironment, part: str) -> ProcessMark:
    """The same, with its start."""
    process = record_of(environment).parts[part].process
    assert process is not None
    return process


def nothing_runs(environment: EmbeddedEnvironment) -> bool:
    """Whether nothing of the environment is left."""
    return not remaining(environment.folder) and not environment.folder.record.exists()


def ignore(_text: str) -> None:
    """For remarks that a test isn't about."""


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it is so; fails after that many seconds."""
    assert wait_until(condition, changes=None, deadline=time.monotonic() + seconds, look=lambda: None)
