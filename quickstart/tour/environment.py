"""Starts the environment for the tour with `azolla-local up`, as anybody would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASKS = Path(__file__).parents[1] / "census"
OWN_NAME = "quickstart"
"""Used when the default environment runs already, with other tasks."""
_PROGRAM = Path(sys.executable).with_name("azolla-local")


class NotStartedError(Exception):
    """`azolla-local up` failed; it has said why. `code` is its exit status."""

    def __init__(self, code: int) -> None:
        super().__init__(f"azolla-local up ended with {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Started:
    """An environment that runs, with our tasks."""

    name: str
    is_default: bool
    url: str
    """Of the HTTP interface."""
    logs: Path
    """Folder of the task logs."""
    already_ran: bool

    def command(self, words: str) -> str:
        """A command line for people to type where they are: `azolla-local WORDS`."""
        option = "" if self.is_default else f" --env {self.name}"
        return f"{program_to_type()}{option} {words}"


def start(wanted: str | None) -> Started:
    """The environment that was asked for, else the default one, else one of our own beside it.

    Raises NotStartedError.
    """
    usual = os.environ.get("AZOLLA_LOCAL_ENV") or "default"
    name = wanted or usual
    report = _up(name)
    if str(TASKS) not in report["tasks"]:
        if wanted:
            print(f"error: the environment {name} runs already, without the tasks of the tour", file=sys.stderr)
            print(f"  try: azolla-local --env {name} down, and ./quickstart/run again", file=sys.stderr)
            raise NotStartedError(5)
        name = OWN_NAME
        report = _up(name, "--grpc-port", "0", "--http-port", "0")  # the usual ones are taken by the one that runs
    return Started(
        name,
        is_default=name == usual,
        url=report["url"],
        logs=Path(report["logs"]),
        already_ran=report["already_running"],
    )


def program_to_type() -> str:
    """How to call azolla-local from here: its name if the PATH leads to this one, else the way to it."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = Path(folder) / "azolla-local"
        if candidate.is_file():
            if candidate.resolve() == _PROGRAM.resolve():
                return "azolla-local"
            break
    try:
        return str(_PROGRAM.relative_to(Path.cwd()))
    except ValueError:
        return str(_PROGRAM)


def _up(name: str, *options: str) -> dict[str, Any]:
    """What `azolla-local up` tells as JSON. One that runs already is left as it is."""
    done = subprocess.run(
        [str(_PROGRAM), "--env", name, "up", "--tasks", str(TASKS), *options, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise NotStartedError(done.returncode)
    return json.loads(done.stdout)
