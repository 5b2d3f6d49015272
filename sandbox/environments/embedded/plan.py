"""`supervisor.json`: what the supervisor is to start, and how to stop it. Written by `up`. Standard library only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, cast


class PartPlan(NamedTuple):
    """A process to keep running."""

    name: str
    command: tuple[str, ...]
    log: str
    """File for its stdout and stderr, absolute."""


class Plan(NamedTuple):
    """Everything about one environment that the supervisor needs to know."""

    name: str
    version: str
    http: str
    grpc: str
    logs: str
    tasks: tuple[str, ...]
    parts: tuple[PartPlan, ...]
    """In the order of starting; they are stopped in the opposite order, one after another."""
    stop_timeout_s: float
    """How long a part may take to end before it is killed."""

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "parts": [part._asdict() for part in self.parts]}


def read_plan(path: Path) -> Plan:
    """The plan of that file. Raises OSError, ValueError, KeyError: `up` has written it just before."""
    value = cast("dict[str, Any]", json.loads(path.read_bytes()))
    parts = tuple(PartPlan(part["name"], tuple(part["command"]), part["log"]) for part in value["parts"])
    return Plan(
        name=value["name"],
        version=value["version"],
        http=value["http"],
        grpc=value["grpc"],
        logs=value["logs"],
        tasks=tuple(value["tasks"]),
        parts=parts,
        stop_timeout_s=value["stop_timeout_s"],
    )
