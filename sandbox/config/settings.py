"""Every setting, with its default and its meaning. `docs/configuration.md` is made from this file.

The descriptions are for the reader of that page. Where values come from is `sandbox.config.sources`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from logsinks.errors import LogSinkError
from logsinks.templates import DEFAULT_TEMPLATE, Template
from sandbox.config.values import Duration, Folders, LoopbackHost, Pairs, Words, split_sinks

DEFAULT_GRPC_PORT = 52710
DEFAULT_HTTP_PORT = 52711
LOCAL_SINK = "local"


def _check_template(text: str) -> str:
    try:
        Template.parse(text)
    except LogSinkError as error:
        raise ValueError("; ".join(part for part in (str(error), error.hint) if part)) from error
    return text


def _check_sink_url(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    known = sorted(entry_points(group="logsinks.sinks").names)
    if not colon or scheme.partition("+")[0] not in known:
        raise ValueError(f"no such kind of sink; known are {', '.join(f'{name}:' for name in known)}")
    return url


def _check_word(value: str) -> str:
    if not value or len(value) > 100 or not value.isprintable() or any(character in ' /\\"' for character in value):
        raise ValueError("expected a name: 1 to 100 printable characters without spaces, slashes and quotes")
    return value


Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, AfterValidator(_check_word)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentSettings(_Section):
    """How environments are started and stopped."""

    runtime: Literal["embedded"] = Field(
        default="embedded", description="`embedded`: the parts are background processes of yours."
    )
    start_timeout: Duration = Field(
        default=timedelta(seconds=30), description="How long `up` waits until a task can run."
    )
    stop_timeout: Duration = Field(
        default=timedelta(seconds=60), description="How long `down` waits for running tasks before it kills them."
    )


class OrchestratorSettings(_Section):
    """The orchestrator: its doors, and what it promises."""

    host: LoopbackHost = Field(
        default="127.0.0.1", description="Address to listen at. Only loopback addresses are accepted."
    )
    grpc_port: Port = Field(
        default=DEFAULT_GRPC_PORT, description="Port of the gRPC services (Azolla's protocol). 0 takes a free one."
    )
    http_port: Port = Field(
        default=DEFAULT_HTTP_PORT, description="Port of the HTTP interface and of the metrics. 0 takes a free one."
    )
    durability: Literal["full", "normal", "async"] = Field(
        default="full",
        description="What a crash can take: `full` nothing that was acknowledged, `normal` the last moments before a "
        "power cut, `async` the last moments before any crash.",
    )
    lease: Duration = Field(
        default=timedelta(seconds=10), description="A shepherd that is silent for so long has lost its tasks."
    )
    heartbeat: Duration = Field(default=timedelta(seconds=2), description="How often a shepherd says that it lives.")
    result_keep: Duration = Field(
        default=timedelta(hours=1),
        description="How long the result of an ended task stays in memory. It stays on disk in any case.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Form of the own logs of orchestrator and shepherd."
    )

    @model_validator(mode="after")
    def _lease_outlives_heartbeats(self) -> Self:
        if self.heartbeat.total_seconds() <= 0:
            raise ValueError("heartbeat must be longer than 0s")
        if self.lease < 2 * self.heartbeat:
            raise ValueError("lease must be at least twice as long as heartbeat, or one late heartbeat loses tasks")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.grpc_port and self.grpc_port == self.http_port:
            raise ValueError("grpc_port and http_port are the same; each needs its own")
        return self


class ShepherdSettings(_Section):
    """The shepherd that runs tasks on this machine."""

    name: Name = Field(default="local", description="Name shown to people.")
    queue: Name = Field(default="default", description="The queue that it serves.")
    domain: Name = Field(default="*", description="The domain that it serves; `*` is all of them.")
    max_concurrency: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Attempts at the same time. 0: twice the number of processors, at least 4.",
    )
    resident_workers: int = Field(
        default=0, ge=0, le=1_000, description="Warm Python workers that may live at once. 0: the number of processors."
    )
    isolation: Literal["process", "resident"] = Field(
        default="process",
        description="Where a task runs that doesn't say: `process` a fresh process for each attempt, "
        "`resident` a warm Python worker.",
    )
    grace: Duration = Field(
        default=timedelta(seconds=10), description="Time for a task to end after SIGTERM, before SIGKILL."
    )
    labels: Pairs = Field(default_factory=dict, description="Labels of the shepherd.")
    secrets_env: Words = Field(
        default_factory=list, description="Environment variables that tasks may name as `${secret:NAME}`."
    )

    @property
    def places(self) -> int:
        """Attempts at the same time, with 0 resolved for this machine."""
        return self.max_concurrency or max(4, 2 * (os.cpu_count() or 1))

    @property
    def warm_workers(self) -> int:
        """Resident workers, with 0 resolved for this machine."""
        return self.resident_workers or os.cpu_count() or 1


class TasksSettings(_Section):
    """Where task definitions are found."""

    folders: Folders = Field(
        default_factory=list[Path],
        description="Folders with task files and Python tasks, relative to the file that names them. "
        "If none is named: `tasks` beside `azolla.toml`, else `tasks` in the working folder, where there is one.",
    )


class SinkSettings(_Section):
    """A further place where task logs go."""

    name: Name = Field(description="Name of the sink; `local` is taken.")
    url: Annotated[str, AfterValidator(_check_sink_url)] = Field(
        description="Where, such as `stdout:` or `file:///var/log/tasks?template=…`."
    )


class LogsSettings(_Section):
    """The logs of tasks. They are always kept on the local disk; further sinks get the same bytes."""

    template: Annotated[str, AfterValidator(_check_template)] = Field(
        default=DEFAULT_TEMPLATE, description="Name of a log below the folder; see docs/logs.md for the fields."
    )
    folder: Path | None = Field(
        default=None,
        description="Folder of the local logs. If none is named: `logs` in the state folder of the environment.",
    )
    sinks: Annotated[list[SinkSettings], BeforeValidator(split_sinks)] = Field(
        default_factory=list[SinkSettings], description="Further sinks."
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [LOCAL_SINK, *(sink.name for sink in self.sinks)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sinks are called {', '.join(twice)}; the sink 'local' is always there")
        return self


class DomainSettings(_Section):
    """A domain: a tenant with tasks of its own. Limits come here later; for now it has only its name."""


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    environment: EnvironmentSettings = Field(default_factory=EnvironmentSettings)
    orchestrator: OrchestratorSettings = Field(default_factory=OrchestratorSettings)
    shepherd: ShepherdSettings = Field(default_factory=ShepherdSettings)
    tasks: TasksSettings = Field(default_factory=TasksSettings)
    logs: LogsSettings = Field(default_factory=LogsSettings)
    domains: dict[Name, DomainSettings] = Field(
        default_factory=dict[str, DomainSettings],
        description="Domains that exist from the start: a table `[domains.NAME]` for each. `default` is always there.",
    )
