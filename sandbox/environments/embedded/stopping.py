"""`down` of an embedded environment: until no process of it is left."""

from __future__ import annotations

import signal
import time

from sandbox.config.locations import StateFolder
from sandbox.environments.contract import DownOptions, DownReport, Say
from sandbox.environments.embedded.plan import read_plan
from sandbox.environments.embedded.processes import remaining, stop_processes, wait_for_end
from sandbox.environments.embedded.record import Record, read_record, write_json

_AT_ONCE_S = 10.0
"""How long everything may take to end once it has been told to end at once."""
_BY_THEMSELVES_S = 1.0
"""How long helpers that nobody needs any more may take to end by themselves."""
_DEFAULT_TIMEOUT_S = 60.0
_QUIET_S = 1.0
"""After so long, it is said what is waited for."""


def stop(folder: StateFolder, options: DownOptions, say: Say) -> DownReport:
    """Stop everything; who calls holds the command lock. Keeps the state."""
    begin = time.monotonic()
    record = read_record(folder.record)
    running = record is not None and (record.alive() or bool(record.running_parts()))
    killed: dict[int, str] = {}
    if record is not None and record.alive():
        _stop_supervisor(folder, record, options, say)
    elif record is not None:
        # In the order of a supervisor: the shepherd hands its results in before the orchestrator ends.
        timeout = 0.0 if options.now else _timeout(folder, options)
        for name, mark in reversed(record.running_parts().items()):
            killed |= {gone.pid: name for gone in stop_processes([mark], timeout_s=timeout)}
    left = remaining(folder)
    running = running or bool(left)
    deadline = time.monotonic() + (0.0 if options.now else _BY_THEMSELVES_S)
    stubborn = {mark: name for mark, name in left.items() if not wait_for_end(mark, deadline - time.monotonic())}
    stop_processes(stubborn, timeout_s=0.0 if options.now else 2.0)
    killed |= {mark.pid: name for mark, name in stubborn.items()}
    folder.record.unlink(missing_ok=True)
    return DownReport(
        name=folder.name,
        was_running=running,
        killed=tuple(f"{pid} {name}".strip() for pid, name in killed.items()),
        seconds=time.monotonic() - begin,
    )


def _stop_supervisor(folder: StateFolder, record: Record, options: DownOptions, say: Say) -> None:
    mark = record.supervisor
    if not options.now:
        timeout = _timeout(folder, options)
        mark.send(signal.SIGTERM)
        first = min(_QUIET_S, timeout)
        if wait_for_end(mark, first):
            return
        say("waiting for running tasks; `down --now` doesn't wait")
        if wait_for_end(mark, timeout - first):
            return
        say("the time is over; what still runs is ended")
    mark.send(signal.SIGQUIT)
    if not wait_for_end(mark, _AT_ONCE_S):
        mark.send(signal.SIGKILL)
        wait_for_end(mark, _AT_ONCE_S)


def _timeout(folder: StateFolder, options: DownOptions) -> float:
    """How long to wait. The supervisor has the same limit for each part; it is told when another one is given."""
    try:
        plan = read_plan(folder.plan)
    except (OSError, ValueError, KeyError):  # lost or damaged: the limit of the settings' default
        return options.timeout_s if options.timeout_s is not None else _DEFAULT_TIMEOUT_S
    if options.timeout_s is None:
        return plan.stop_timeout_s
    if options.timeout_s > plan.stop_timeout_s:
        write_json(folder.plan, plan._replace(stop_timeout_s=options.timeout_s).to_json())
    return options.timeout_s
