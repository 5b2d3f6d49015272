"""The settings of one shepherd: read from a JSON file, every mistake told at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shepherd.errors import ShepherdError

ALL_DOMAINS = "*"


class BadConfig(ShepherdError):
    """The configuration can't be used; `why` has a line for each mistake."""

    code = "config"
    exit_code = 2


def _processors() -> int:
    return os.cpu_count() or 1


class SinkSettings(BaseModel):
    """Where logs go: a name that people see, and a sink's URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    url: str = Field(min_length=1)


class ShepherdConfig(BaseModel):
    """Settings of one shepherd process."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orchestrator: str = Field(default="127.0.0.1:52710", pattern=r"^.+:\d+$")
    """Where the orchestrator listens: `HOST:PORT`."""
    state: Path
    """The folder of identity, journal, work folders and spool. One shepherd a folder."""
    name: str = "local"
    queue: str = Field(default="default", min_length=1)
    domains: tuple[str, ...] = (ALL_DOMAINS,)
    """One domain, or `*` for all of them."""
    max_concurrency: int = Field(default_factory=lambda: max(4, 2 * _processors()), ge=1, le=10_000)
    """How many attempts may run at once in processes of their own."""
    resident_workers: int = Field(default_factory=_processors, ge=1, le=1_000)
    """How many warm workers may live at once, over all modules."""
    window: int = Field(default=0, ge=0, le=100_000)
    """How many attempts to take at once, running and waiting; 0: enough to keep the workers busy."""
    tasks: tuple[Path, ...] = ()
    """Folders of task files and Python modules."""
    sinks: tuple[SinkSettings, ...] = ()
    isolation: str = "process"
    """The tier of tasks that ask for none."""
    grace_s: float = Field(default=10.0, ge=0, le=3_600)
    """Seconds between the kill signal and SIGKILL, where the task says nothing; also of the shepherd's own drain."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    secrets_env: tuple[str, ...] = ()
    """Variables of the shepherd's environment that tasks may name as `${secret:NAME}`."""
    recycle_attempts: int = Field(default=100_000, ge=1)
    """A warm worker is replaced after so many attempts."""
    recycle_age_s: float = Field(default=3_600.0, gt=0)
    """A warm worker is replaced at this age."""
    log_format: Literal["json", "text"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("domains")
    @classmethod
    def _one_or_all(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if len(domains) != 1 or not domains[0]:
            raise ValueError('a shepherd serves one domain, or all of them: ["*"]')
        return domains

    @property
    def all_domains(self) -> bool:
        """Whether tasks of every domain are taken."""
        return self.domains[0] == ALL_DOMAINS

    @property
    def window_size(self) -> int:
        """How many attempts to announce."""
        return self.window or max(256, 2 * self.max_concurrency)


def load_config(path: Path) -> ShepherdConfig:
    """Read and check a configuration file. Raises :class:`BadConfig`."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadConfig(
            "the configuration can't be read",
            subject=str(path),
            why=error.strerror or str(error),
            hint="give an existing file: python -m shepherd --config FILE",
        ) from error
    try:
        return ShepherdConfig.model_validate_json(text)
    except ValidationError as error:
        problems = "\n".join(_problem(found["loc"], found["msg"]) for found in error.errors())
        raise BadConfig(
            "the configuration has mistakes", subject=str(path), why=problems, hint="mend the keys named above"
        ) from error


def _problem(place: tuple[int | str, ...], message: str) -> str:
    key = ".".join(str(part) for part in place)
    return f"{key}: {message}" if key else message
