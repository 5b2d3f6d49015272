"""A whole environment of a test's own, started with `azolla-local up` as a user would, on free ports.

::

    def test_something(environment: RunningEnvironment) -> None:
        done = environment.cli("run", "echo")

`environment_with(folder, ...)` is for tests that want their own task folder or settings. What a test leaves behind
is stopped and, if it does not stop, killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("azolla-local")
TASKS = ROOT / "tests" / "support" / "tasks"
PARTS = ("orchestrator", "shepherd")


class RunningEnvironment:
    """Made by the fixtures below."""

    def __init__(self, home: Path, tasks: Path, settings: Mapping[str, str]) -> None:
        self.home = home
        self._variables = {
            "XDG_STATE_HOME": str(home),
            "AZOLLA_LOCAL_ENV": "test",
            "AZOLLA_LOCAL_TASKS_FOLDERS": str(tasks),
            "AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT": "0",
            "AZOLLA_LOCAL_ORCHESTRATOR_HTTP_PORT": "0",
            **settings,
        }

    @property
    def state(self) -> Path:
        """The folder with everything that the environment keeps."""
        return self.home / "azolla-local" / "test"

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which programs find this environment."""
        return {**os.environ, **self._variables}

    def cli(self, *words: str, stdin: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """`azolla-local WORDS…`, whatever becomes of it."""
        return subprocess.run(
            [str(PROGRAM), *words],
            env=self.variables,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd=self.home,
        )

    def must(self, *words: str, stdin: str | None = None) -> str:
        """The same where it has to work; what it printed."""
        done = self.cli(*words, stdin=stdin)
        assert done.returncode == 0, f"azolla-local {' '.join(words)}: {done.returncode}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def record(self) -> dict[str, Any]:
        """What runs, as the environment itself keeps it."""
        return json.loads((self.state / "environment.json").read_text())

    @property
    def url(self) -> str:
        """The address of the HTTP API, for clients within a test."""
        return self.record()["url"]

    @property
    def grpc(self) -> str:
        """The address of the gRPC services."""
        return self.record()["grpc"]

    def config(self, part: str) -> dict[str, Any]:
        """The rendered configuration of "orchestrator" or "shepherd"."""
        return json.loads((self.state / f"{part}.json").read_text())

    def pid(self, part: str) -> int | None:
        """The process of "orchestrator" or "shepherd" at this moment; None between two lives."""
        with contextlib.suppress(OSError, KeyError, ValueError, TypeError):
            pid = int(self.record()["parts"][part]["process"][0])
            if psutil.pid_exists(pid):
                return pid
        return None

    def kill(self, part: str) -> bool:
        """Kill -9 of a part; whether there was one to kill."""
        pid = self.pid(part)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def logs(self, lines: int = 15) -> str:
        """The ends of the processes' own logs, for messages of failing tests."""
        parts: list[str] = []
        for name in ("supervisor", *PARTS):
            path = self.state / f"{name}.log"
            if path.exists():
                parts += [f"--- {name}.log", *path.read_text(errors="replace").splitlines()[-lines:]]
        return "\n".join(parts)

    def clean_up(self) -> None:
        """Stop what runs, and kill what stays: every process that has this state folder on its command line."""
        if self.state.exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.cli("down", timeout=30)
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.home) in word for word in process.info["cmdline"] or ()):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        shutil.rmtree(self.home, ignore_errors=True)


MakeEnvironment = Callable[..., RunningEnvironment]


@pytest.fixture
def environment_with() -> Iterator[MakeEnvironment]:
    """Makes environments: `environment_with(tasks=folder, settings={…}, home=folder, started=False)`."""
    made: list[RunningEnvironment] = []

    def make(
        *,
        tasks: Path = TASKS,
        settings: Mapping[str, str] | None = None,
        home: Path | None = None,
        started: bool = True,
    ) -> RunningEnvironment:
        # Not pytest's folder: its paths are too long for the unix sockets of the spool.
        folder = home or Path(tempfile.mkdtemp(prefix="azolla-"))
        environment = RunningEnvironment(folder, tasks, settings or {})
        made.append(environment)
        if started:
            environment.must("up")
        return environment

    yield make
    for environment in made:
        environment.clean_up()


@pytest.fixture
def environment(environment_with: MakeEnvironment) -> RunningEnvironment:
    """One that runs, with the tasks of tests/support/tasks."""
    return environment_with()
