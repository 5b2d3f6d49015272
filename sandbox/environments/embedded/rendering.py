"""The configuration of an environment as the files of its processes: pure, nothing is written here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from sandbox.config.locations import StateFolder
from sandbox.config.settings import LOCAL_SINK
from sandbox.config.sources import Configuration
from sandbox.environments.embedded.plan import PartPlan, Plan
from sandbox.environments.embedded.ports import Ports

Commands = Mapping[str, tuple[str, ...]]
"""Part → command, without `--config FILE`, in the order of starting."""

# -P: the working folder must not lend its modules to our processes.
COMMANDS: Commands = {
    "orchestrator": (sys.executable, "-P", "-m", "sandbox.orchestrator"),
    "shepherd": (sys.executable, "-P", "-m", "shepherd"),
}

_PORTS = frozenset({"grpc", "http", "orchestrator"})


class Rendered(NamedTuple):
    """What is written before the supervisor starts."""

    orchestrator: dict[str, Any]
    shepherd: dict[str, Any]
    plan: Plan


def render(
    configuration: Configuration, folder: StateFolder, ports: Ports, *, version: str, commands: Commands = COMMANDS
) -> Rendered:
    """The three files."""
    settings = configuration.settings
    tasks = [str(path) for path in configuration.task_folders()]
    logs = settings.logs.folder
    root = configuration.absolute(("logs", "folder"), logs) if logs is not None else folder.logs
    sinks = [
        {"name": LOCAL_SINK, "url": local_sink_url(root, settings.logs.template)},
        *({"name": sink.name, "url": sink.url} for sink in settings.logs.sinks),
    ]
    orchestrator: dict[str, Any] = {
        "name": folder.name,
        "state": str(folder.orchestrator),
        "grpc": ports.grpc,
        "http": ports.http,
        "durability": settings.orchestrator.durability,
        "domains": {"default": {}, **{name: {} for name in settings.domains}},
        "tasks": tasks,
        "lease_s": settings.orchestrator.lease.total_seconds(),
        "heartbeat_s": settings.orchestrator.heartbeat.total_seconds(),
        "sinks": sinks,
        "result_keep_s": settings.orchestrator.result_keep.total_seconds(),
        "log_format": settings.orchestrator.log_format,
    }
    shepherd: dict[str, Any] = {
        "orchestrator": ports.grpc,
        "state": str(folder.shepherd),
        "name": settings.shepherd.name,
        "queue": settings.shepherd.queue,
        "domains": [settings.shepherd.domain],
        "max_concurrency": settings.shepherd.places,
        "resident_workers": settings.shepherd.warm_workers,
        "tasks": tasks,
        "sinks": sinks,
        "isolation": settings.shepherd.isolation,
        "grace_s": settings.shepherd.grace.total_seconds(),
        "labels": dict(settings.shepherd.labels),
        "secrets_env": list(settings.shepherd.secrets_env),
        "log_format": settings.orchestrator.log_format,
    }
    files = {"orchestrator": folder.orchestrator_config, "shepherd": folder.shepherd_config}
    plan = Plan(
        name=folder.name,
        version=version,
        http=ports.http,
        grpc=ports.grpc,
        logs=str(root),
        tasks=tuple(tasks),
        parts=tuple(
            PartPlan(part, (*command, "--config", str(files[part])), str(folder.part_log(part)))
            for part, command in commands.items()
        ),
        stop_timeout_s=settings.environment.stop_timeout.total_seconds(),
    )
    return Rendered(orchestrator, shepherd, plan)


def local_sink_url(root: Path, template: str) -> str:
    """The URL of the sink that keeps logs on this disk."""
    return f"file://{quote(str(root))}?template={quote(template, safe='/{}-_.:,')}"


def differences(running: Mapping[str, Any], wanted: Mapping[str, Any], *, names: Mapping[str, str]) -> list[str]:
    """How two renderings of one file differ, in the words of the configuration; ports are compared elsewhere."""
    found: list[str] = []
    for key in sorted(running.keys() | wanted.keys()):
        if key in _PORTS or running.get(key) == wanted.get(key):
            continue
        label = names.get(key, key.removesuffix("_s"))
        found.append(f"{label}: {_show(running.get(key))} runs, {_show(wanted.get(key))} is wanted now")
    return found


def _show(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_show(item) for item in cast("list[object]", value)) or "none"
    if isinstance(value, dict):
        return " ".join(str(part) for part in cast("dict[str, object]", value).values()) or "none"
    return "none" if value is None else str(value)
