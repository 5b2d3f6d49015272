"""All families of use cases, as one value that the transports are given."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.service.logs import LogService
from sandbox.service.shepherds import ShepherdService
from sandbox.service.tasks import TaskService
from sandbox.service.upkeep import UpkeepService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a running orchestrator can do."""

    tasks: TaskService
    logs: LogService
    shepherds: ShepherdService
    upkeep: UpkeepService
