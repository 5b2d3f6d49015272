"""`status` of an embedded environment: what is on disk, what runs, and what the orchestrator says. Changes nothing."""

from __future__ import annotations

import time
from typing import cast

from sandbox.config.locations import StateFolder
from sandbox.environments.contract import EnvironmentStatus, PartStatus
from sandbox.environments.embedded import doors
from sandbox.environments.embedded.failures import last_words
from sandbox.environments.embedded.plan import Plan, read_plan
from sandbox.environments.embedded.processes import memory_of
from sandbox.environments.embedded.record import PartRecord, Record, read_record
from sandbox.errors import EnvironmentNotFound

_STARTING_S = 30.0
"""So long after its start, an environment that doesn't answer yet is still starting."""


def look(folder: StateFolder) -> EnvironmentStatus:
    """How the environment is. Raises EnvironmentNotFound if there never was one."""
    if not folder.exists():
        raise EnvironmentNotFound(
            f"there is no environment {folder.name}",
            subject=folder.name,
            why=f"nothing is in {folder.path}",
            hint="azolla-local up   (status --all shows those that there are)",
        )
    record = read_record(folder.record)
    if record is None:
        return _stopped(folder, ())
    if not record.alive() and not record.running_parts():
        why = "it ended without being stopped: a crash, or a restart of the machine; nothing is lost, start it again"
        return _stopped(folder, (why,))
    return _running(folder, record)


def part_changes(folder: StateFolder, told: dict[str, int]) -> list[str]:
    """What has happened to the parts since the last call, a line each. `told` remembers what was said already."""
    record = read_record(folder.record)
    lines: list[str] = []
    for name, part in record.parts.items() if record is not None else ():
        at_ms = part.last_exit.at_ms if part.last_exit is not None else 0
        if part.last_exit is not None and told.get(name, 0) < at_ms:
            lines.append(f"the {name} {last_words(part.last_exit)}")
        told[name] = at_ms
    return lines


def _stopped(folder: StateFolder, problems: tuple[str, ...]) -> EnvironmentStatus:
    plan = _read_plan(folder)
    return EnvironmentStatus(
        name=folder.name,
        state="stopped",
        state_folder=folder.path,
        logs=plan.logs if plan is not None else str(folder.logs),
        task_folders=plan.tasks if plan is not None else (),
        database_bytes=_database_bytes(folder),
        problems=problems,
    )


def _running(folder: StateFolder, record: Record) -> EnvironmentStatus:
    ready = doors.ask(record.http, "/readyz")
    shepherds = doors.shepherds(record.http) if ready is not None else []
    connected = any(doors.is_connected(one) for one in shepherds)
    supervised = record.alive()
    works = ready is not None and ready.status == 200
    all_run = supervised and len(record.running_parts()) == len(record.parts)
    age_s = time.time() - record.started_ms / 1000
    problems = _problems(folder, record, supervised=supervised)
    if record.state == "stopping" and supervised:
        state = "stopping"
    elif works and connected and all_run:
        state = "running"
    elif all_run and not works and age_s < _STARTING_S and not problems:
        state = "starting"
    else:
        state = "degraded"
        if all_run and not works:
            problems.append(f"the orchestrator doesn't answer at http://{record.http}; see {_log(folder)}")
        elif all_run and not connected:
            problems.append(f"no shepherd is connected, so that no task runs; see {_log(folder, 'shepherd')}")
    return EnvironmentStatus(
        name=folder.name,
        state=state,
        state_folder=folder.path,
        http=record.http,
        grpc=record.grpc,
        logs=record.logs,
        version=record.version,
        started_ms=record.started_ms,
        parts=(_supervisor(record), *(_part(name, part) for name, part in record.parts.items())),
        tasks=_task_counts(record.http) if works else {},
        shepherds=tuple(shepherds),
        task_folders=record.tasks,
        database_bytes=_database_bytes(folder),
        problems=tuple(problems),
        answers=works,
    )


def _problems(folder: StateFolder, record: Record, *, supervised: bool) -> list[str]:
    found: list[str] = []
    if not supervised:
        found.append(f"its supervisor was killed, so that nothing is started again; {_command(folder, 'up')} mends it")
    for name, part in record.parts.items():
        if part.last_exit is None or part.state == "stopped":
            continue
        last = last_words(part.last_exit)
        if part.state == "failed":
            found.append(
                f"the {name} was given up, last {last}; see {_log(folder, name)}, then {_command(folder, 'up')}"
            )
        elif part.restarts:
            times = "once" if part.restarts == 1 else f"{part.restarts} times"
            found.append(f"the {name} was started again {times}, last {last}; see {_log(folder, name)}")
    return found


def _supervisor(record: Record) -> PartStatus:
    mark, alive = record.supervisor, record.alive()
    return PartStatus(
        name="supervisor",
        state="running" if alive else "gone",
        pid=mark.pid if alive else None,
        uptime_s=_age_s(record.started_ms) if alive else None,
        memory_bytes=memory_of(mark.pid, with_children=False) if alive else None,
        restarts=0,
    )


def _part(name: str, part: PartRecord) -> PartStatus:
    alive = part.process is not None and part.process.alive()
    pid = part.process.pid if part.process is not None and alive else None
    return PartStatus(
        name=name,
        state="gone" if part.state == "running" and not alive else part.state,
        pid=pid,
        uptime_s=_age_s(part.since_ms) if alive else None,
        memory_bytes=memory_of(pid) if pid is not None else None,
        restarts=part.restarts,
        last_exit=last_words(part.last_exit) if part.last_exit else "",
    )


def _task_counts(http: str) -> dict[str, int]:
    """Tasks by status, over all domains."""
    answer = doors.ask(http, "/v1/status")
    counts = answer.body.get("tasks") if answer is not None and answer.status == 200 else None
    return cast("dict[str, int]", counts) if isinstance(counts, dict) else {}


def _database_bytes(folder: StateFolder) -> int | None:
    sizes = [
        path.stat().st_size
        for suffix in ("", "-wal")
        if (path := folder.database.with_name(folder.database.name + suffix)).exists()
    ]
    return sum(sizes) if sizes else None


def _read_plan(folder: StateFolder) -> Plan | None:
    try:
        return read_plan(folder.plan)
    except (OSError, ValueError, KeyError):  # never started as far as that; the defaults are shown
        return None


def _age_s(since_ms: int) -> float:
    return max(0.0, time.time() - since_ms / 1000)


def _command(folder: StateFolder, verb: str) -> str:
    return f"azolla-local {verb}" if folder.name == "default" else f"azolla-local --env {folder.name} {verb}"


def _log(folder: StateFolder, part: str = "orchestrator") -> str:
    return str(folder.part_log(part))
