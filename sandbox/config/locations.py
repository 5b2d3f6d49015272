"""Where things lie: the state folder of an environment, and the configuration file.

Imports only the standard library, since every command needs it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import InvalidInput

DEFAULT_ENVIRONMENT = "default"
CONFIG_NAME = "azolla.toml"
ENVIRONMENT_VARIABLE = "AZOLLA_LOCAL_ENV"
CONFIG_VARIABLE = "AZOLLA_LOCAL_CONFIG"
SUPERVISED_VARIABLE = "AZOLLA_LOCAL_SUPERVISED"
"""Set for all processes of an embedded environment, to its state folder: so that `down` finds every one of them."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_APPLICATION = "azolla-local"


def check_environment_name(name: str) -> str:
    """The name, if an environment can be called so; InvalidInput otherwise. It becomes the name of a folder."""
    if _NAME.fullmatch(name):
        return name
    raise InvalidInput(
        "an environment can't have that name",
        subject=name,
        why="a name has 1 to 31 characters: a to z, 0 to 9 and '-', and doesn't begin with '-'",
        hint="azolla-local --env my-environment …",
    )


def environment_name(given: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """The environment that is meant: what was given, else AZOLLA_LOCAL_ENV, else "default"; checked."""
    return check_environment_name(given or environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT)


def state_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds a folder for each environment: `$XDG_STATE_HOME/azolla-local`.

    A relative XDG_STATE_HOME is ignored, as the XDG Base Directory Specification asks.
    """
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / _APPLICATION


def find_config_file(working_folder: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file that counts, or None.

    AZOLLA_LOCAL_CONFIG names it; else `azolla.toml` in the working folder or in the nearest folder above that has
    one; else `$XDG_CONFIG_HOME/azolla-local/azolla.toml`. Above the working folder, a file that belongs neither to
    the user nor to root is passed over, so that nobody can put settings into /tmp for others.
    """
    named = environ.get(CONFIG_VARIABLE)
    if named:
        return (working_folder / named).absolute()
    here = working_folder.absolute()
    for folder in (here, *here.parents):
        candidate = folder / CONFIG_NAME
        if candidate.is_file() and (folder == here or _is_trusted(candidate)):
            return candidate
    personal = _xdg(environ, "XDG_CONFIG_HOME", ".config") / _APPLICATION / CONFIG_NAME
    return personal if personal.is_file() else None


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    value = environ.get(variable, "")
    if value and Path(value).is_absolute():
        return Path(value)
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / below_home


def _is_trusted(path: Path) -> bool:
    return path.stat().st_uid in {0, os.getuid()}


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The state of one environment on disk; each property is a path in it, made by whoever writes it."""

    path: Path

    @classmethod
    def of(cls, name: str, environ: Mapping[str, str] = os.environ) -> StateFolder:
        """The folder of the environment of that name."""
        return cls(state_root(environ) / check_environment_name(name))

    @classmethod
    def all(cls, environ: Mapping[str, str] = os.environ) -> list[StateFolder]:
        """The folders of all environments that have been started by this user, sorted by name."""
        root = state_root(environ)
        if not root.is_dir():
            return []
        found = (cls(path) for path in sorted(root.iterdir()) if path.is_dir() and _NAME.fullmatch(path.name))
        return [folder for folder in found if folder.exists()]

    def exists(self) -> bool:
        """Whether an environment was ever started here."""
        return any(path.exists() for path in (self.record, self.plan, self.orchestrator, self.shepherd, self.logs))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def record(self) -> Path:
        """What runs: written by the supervisor, there only while the environment is up (or should be)."""
        return self.path / "environment.json"

    @property
    def command_lock(self) -> Path:
        """Locked by the commands that change the environment, while they work."""
        return self.path / "environment.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Locked by the supervisor as long as it lives."""
        return self.path / "supervisor.lock"

    @property
    def plan(self) -> Path:
        """What the supervisor is to start."""
        return self.path / "supervisor.json"

    @property
    def orchestrator_config(self) -> Path:
        return self.path / "orchestrator.json"

    @property
    def shepherd_config(self) -> Path:
        return self.path / "shepherd.json"

    @property
    def orchestrator(self) -> Path:
        """The state of the orchestrator."""
        return self.path / "orchestrator"

    @property
    def database(self) -> Path:
        return self.orchestrator / "azolla.db"

    @property
    def shepherd(self) -> Path:
        """The state of the shepherd."""
        return self.path / "shepherd"

    @property
    def logs(self) -> Path:
        """Where the logs of tasks are kept, unless the configuration says otherwise."""
        return self.path / "logs"

    def part_log(self, part: str) -> Path:
        """The own log of a process: "supervisor", "orchestrator" or "shepherd"."""
        return self.path / f"{part}.log"
