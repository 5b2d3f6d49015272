"""An environment of the benchmark's own: fresh state, free ports, the benchmark's tasks; gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "bench"
_ROOT = Path(__file__).parents[2]


def cache() -> Path:
    """Where the benchmark keeps what it installs, and the state of what it measures: on the disk of the home folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "azolla-local" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Environment:
    """One environment that can be started, asked and stopped. Made by :func:`environment`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AZOLLA_")},
            "XDG_STATE_HOME": str(folder),
            "AZOLLA_LOCAL_ENV": NAME,
            "AZOLLA_LOCAL_TASKS_FOLDERS": str(_ROOT / "bench" / "tasks"),
            "AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT": "0",
            "AZOLLA_LOCAL_ORCHESTRATOR_HTTP_PORT": "0",
            "NO_COLOR": "1",
        }

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables with which the command line finds this environment."""
        return self._variables

    @property
    def state(self) -> Path:
        return self.folder / "azolla-local" / NAME

    def command(self, *words: str) -> str:
        """Run `azolla-local WORDS…` and give what it printed. RuntimeError with its message if it fails."""
        program = Path(sys.executable).with_name("azolla-local")
        done = subprocess.run(
            [str(program), *words], env=self._variables, capture_output=True, text=True, check=False, cwd=self.folder
        )
        if done.returncode:
            raise RuntimeError(f"azolla-local {' '.join(words)} ended with {done.returncode}:\n{done.stderr.strip()}")
        return done.stdout

    def up(self) -> None:
        self.command("up")

    def down(self) -> None:
        self.command("down")

    def record(self) -> dict[str, Any]:
        """What runs, as the environment itself keeps it."""
        return json.loads((self.state / "environment.json").read_text())

    @property
    def grpc(self) -> str:
        """The address of the gRPC services."""
        return self.record()["grpc"]

    def pid(self, part: str) -> int:
        """The process id of "orchestrator" or "shepherd"."""
        return int(self.record()["parts"][part]["process"][0])


@contextmanager
def environment(*, started: bool = True) -> Iterator[Environment]:
    """A fresh environment, started unless told otherwise; stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="state-", dir=cache()))
    made = Environment(folder)
    try:
        if started:
            made.up()
        yield made
    finally:
        if (made.state / "environment.json").exists():
            made.down()
        shutil.rmtree(folder, ignore_errors=True)
