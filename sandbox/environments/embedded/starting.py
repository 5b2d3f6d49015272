"""`up` of an embedded environment: from whatever state it is in to one that can run a task."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any, cast

from sandbox.config.locations import StateFolder
from sandbox.config.sources import Configuration
from sandbox.environments.contract import DownOptions, Say, UpOptions, UpReport
from sandbox.environments.embedded import doors
from sandbox.environments.embedded.failures import not_ready, part_failed, supervisor_failed
from sandbox.environments.embedded.plan import read_plan
from sandbox.environments.embedded.ports import Ports, choose_ports, is_free
from sandbox.environments.embedded.processes import Started, start_supervisor, stop_processes, wait_for_end
from sandbox.environments.embedded.record import Record, read_record, write_json
from sandbox.environments.embedded.rendering import Commands, Rendered, differences, render
from sandbox.environments.embedded.stopping import stop
from sandbox.environments.lifecycle import command_lock, prepare_folder, unwritable
from sandbox.errors import Conflict, StartFailed

_RESTARTS_TO_GIVE_UP = 3
"""A part that ends so often before a task can run won't get better by waiting."""
_TRIES_FOR_PORTS = 3
_ORPHAN_TIMEOUT_S = 10.0
_NAMES = {"tasks": "task folders", "sinks": "log sinks"}


class Starting:
    """One call of `up`."""

    def __init__(
        self, folder: StateFolder, configuration: Configuration, commands: Commands, version: str, say: Say
    ) -> None:
        self.started: Started | None = None
        """The supervisor, if this call has started it."""
        self._folder = folder
        self._configuration = configuration
        self._commands = commands
        self._version = version
        self._say = say
        self._begin = time.monotonic()
        self._notes: list[str] = []

    def up(self, options: UpOptions) -> UpReport:
        """As the contract says."""
        prepare_folder(self._folder)
        with command_lock(self._folder, timeout_s=options.timeout_s, say=self._say):
            deadline = time.monotonic() + options.timeout_s
            record = self._mend(options, deadline)
            if record is not None:
                return self._already(record, options, deadline)
            for again in range(_TRIES_FOR_PORTS):
                ports = self._ports()
                try:
                    return self._start(ports, options, deadline)
                except Conflict:
                    if again == _TRIES_FOR_PORTS - 1 or not ports.automatic or _all_free(ports):
                        raise
            raise AssertionError("unreachable: the last try returns or raises")

    def _mend(self, options: UpOptions, deadline: float) -> Record | None:
        """What runs and may go on; None if everything is to be started. Half-started things are ended here."""
        record = read_record(self._folder.record)
        if record is None:
            return None
        if not record.alive():
            self._take_over_or_end(record, options)
            return None
        if record.state == "stopping":
            self._say("waiting for the environment to stop")
            if not wait_for_end(record.supervisor, deadline - time.monotonic()):
                raise StartFailed(
                    "the environment still stops",
                    subject=self._folder.name,
                    why="running tasks have time to finish",
                    hint="azolla-local down --now",
                )
            return None
        if options.restart or record.failed_parts():
            stop(self._folder, DownOptions(), self._say)
            return None
        return record

    def _take_over_or_end(self, record: Record, options: UpOptions) -> None:
        """After a supervisor was killed, its processes go on. The next one takes them over if nothing has changed."""
        orphans = record.running_parts()
        if not orphans:
            return
        wanted = self._render(Ports(record.grpc, record.http))
        if options.restart or self._differences(record, wanted):
            stop_processes(reversed(orphans.values()), timeout_s=_ORPHAN_TIMEOUT_S)
        else:
            self._notes.append("its supervisor had ended; a new one took over what still ran")

    def _ports(self) -> Ports:
        record = read_record(self._folder.record)
        if record is not None and record.running_parts():
            return Ports(record.grpc, record.http)
        last = _read_json(self._folder.orchestrator_config)
        before = (str(last.get("grpc", "")), str(last.get("http", "")))
        return choose_ports(self._configuration, self._folder.name, before=before)

    def _render(self, ports: Ports) -> Rendered:
        return render(self._configuration, self._folder, ports, version=self._version, commands=self._commands)

    def _start(self, ports: Ports, options: UpOptions, deadline: float) -> UpReport:
        rendered = self._render(ports)
        try:
            write_json(self._folder.orchestrator_config, rendered.orchestrator)
            write_json(self._folder.shepherd_config, rendered.shepherd)
            write_json(self._folder.plan, rendered.plan.to_json())
            started = start_supervisor(self._folder, leashed=options.foreground)
        except OSError as error:
            raise unwritable(self._folder.path, error) from error
        try:
            self._wait(ports.http, started, options, deadline)
        except BaseException:
            # Whatever it was, Ctrl-C included: nothing half-started stays behind.
            stop(self._folder, DownOptions(now=True, timeout_s=10.0), self._say)
            started.close()
            raise
        self.started = started
        return self._report(ports.grpc, ports.http, already=False, ready=options.wait, notes=ports.notes)

    def _wait(self, http: str, started: Started, options: UpOptions, deadline: float) -> None:
        supervised = False
        adopted = read_record(self._folder.record)
        before = {name: part.restarts for name, part in adopted.parts.items()} if adopted is not None else {}

        def look() -> None:
            nonlocal supervised
            record = read_record(self._folder.record)
            supervised = record is not None and record.supervisor.pid == started.process.pid
            if not supervised and _has_ended(started.process):
                raise supervisor_failed(self._folder, started.process.returncode)
            self._check_parts(record, before)

        def ready() -> bool:
            return supervised and (not options.wait or doors.can_run_tasks(http))

        if not doors.wait_until(ready, changes=started.changes, deadline=deadline, look=look):
            raise not_ready(self._folder, read_record(self._folder.record), timeout_s=options.timeout_s)

    def _check_parts(self, record: Record | None, before: dict[str, int]) -> None:
        for name, part in record.parts.items() if record is not None else ():
            if part.state == "failed" or part.restarts - before.get(name, 0) >= _RESTARTS_TO_GIVE_UP:
                raise part_failed(self._folder, name, part)

    def _already(self, record: Record, options: UpOptions, deadline: float) -> UpReport:
        notes = self._differences(record, self._render(Ports(record.grpc, record.http)))
        if notes:
            notes.append("up --restart applies it")
        ready = True
        if options.wait:
            before = {name: part.restarts for name, part in record.parts.items()}

            def look() -> None:
                self._check_parts(read_record(self._folder.record), before)

            ready = doors.wait_until(
                lambda: doors.can_run_tasks(record.http), changes=None, deadline=deadline, look=look
            )
            if not ready:
                raise not_ready(self._folder, read_record(self._folder.record), timeout_s=options.timeout_s)
        return self._report(record.grpc, record.http, already=True, ready=options.wait, notes=tuple(notes))

    def _differences(self, record: Record, wanted: Rendered) -> list[str]:
        """How what runs differs from what is wanted now; what nobody has asked for is no difference."""
        pairs = (
            (self._folder.orchestrator_config, wanted.orchestrator),
            (self._folder.shepherd_config, wanted.shepherd),
        )
        found: dict[str, None] = {}
        for path, now in pairs:
            running = _read_json(path)
            if not now["tasks"]:
                # No folder is named, and none lies here: `up` was typed somewhere else.
                now = {**now, "tasks": running.get("tasks", [])}  # noqa: PLW2901  (the copy replaces it on purpose)
            found |= dict.fromkeys(differences(running, now, names=_NAMES))
        if record.version != self._version:
            found[f"version: {record.version} runs, {self._version} is installed"] = None
        for door, address in (("grpc", record.grpc), ("http", record.http)):
            path = ("orchestrator", f"{door}_port")
            port: int = getattr(self._configuration.settings.orchestrator, path[1])
            if port and self._configuration.origin(path).kind != "default" and not address.endswith(f":{port}"):
                found[f"{door} port: {address.rpartition(':')[2]} runs, {port} is wanted now"] = None
        return list(found)

    def _report(self, grpc: str, http: str, *, already: bool, ready: bool, notes: tuple[str, ...]) -> UpReport:
        seconds = time.monotonic() - self._begin
        plan = read_plan(self._folder.plan)
        answer = doors.ask(http, "/v1/definitions") if ready else None
        body = answer.body if answer is not None and answer.status == 200 else {}
        return UpReport(
            name=self._folder.name,
            http=http,
            grpc=grpc,
            state_folder=self._folder.path,
            logs=Path(plan.logs),
            task_folders=plan.tasks,
            already_running=already,
            ready=ready,
            definitions=len(body["definitions"]) if "definitions" in body else None,
            broken_definitions=len(body.get("problems", ())),
            notes=(*self._notes, *notes),
            seconds=seconds,
        )


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def _all_free(ports: Ports) -> bool:
    return all(
        is_free(host, int(port)) for host, _, port in (door.rpartition(":") for door in (ports.grpc, ports.http))
    )


def _read_json(path: Path) -> dict[str, Any]:
    """An object that `up` has written; empty if there is none, or none that can be read: then everything differs."""
    try:
        found: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
