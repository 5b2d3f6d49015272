"""`azolla-local status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli.commands.environment_options import existing, show_age, show_bytes
from sandbox.cli.invocation import Invocation

if TYPE_CHECKING:
    from sandbox.environments.contract import EnvironmentStatus

_UNREACHABLE = 6
_STATES = {
    "running": "green bold",
    "starting": "yellow",
    "degraded": "red bold",
    "stopping": "yellow",
    "stopped": "dim",
}


def command(
    inv: Invocation,
    *,
    all_: Annotated[bool, typer.Option("--all", help="List every environment of yours.")] = False,
) -> int:
    """Show what runs, and what it does.

    Exits with 3 if there is no such environment, with 6 if it doesn't answer.
    """
    if all_:
        return _list(inv)
    status = existing(inv).status()
    if inv.json:
        inv.out.json_value(status.to_json())
    elif inv.quiet:
        inv.out.line(status.state)
    else:
        _show(inv, status)
    return 0 if status.answers else _UNREACHABLE


def _list(inv: Invocation) -> int:
    from sandbox.config.locations import StateFolder
    from sandbox.environments.embedded.environment import EmbeddedEnvironment

    found = [EmbeddedEnvironment(folder).status() for folder in StateFolder.all()]
    if inv.json:
        for status in found:
            inv.out.json_line(status.to_json())
    elif inv.quiet:
        for status in found:
            inv.out.line(status.name)
    elif not found:
        inv.out.note("there is no environment yet; azolla-local up makes one")
    else:
        rows = [
            (one.name, one.state, f"http://{one.http}" if one.http else "-", str(one.state_folder)) for one in found
        ]
        inv.out.table(("name", "state", "http", "folder"), rows)
    return 0


def _show(inv: Invocation, status: EnvironmentStatus) -> None:
    out = inv.out
    out.line(f"{out.style(status.name, 'bold')}  {out.style(status.state, _STATES.get(status.state, ''))}")
    folders = ", ".join(status.task_folders) or "none"
    rows = [
        ("http", f"http://{status.http}" if status.http else ""),
        ("grpc", status.grpc),
        ("tasks", _counts(status.tasks)),
        ("shepherds", _shepherds(status)),
        ("definitions", folders),
        ("logs", status.logs),
        ("database", show_bytes(status.database_bytes) if status.database_bytes is not None else ""),
        ("state", str(status.state_folder)),
    ]
    for label, value in rows:
        if value:
            out.line(f"  {out.style(f'{label:<11}', 'dim')} {out.safe(value)}")
    if status.parts:
        out.line()
        cells = [
            (
                part.name,
                part.state,
                str(part.pid or "-"),
                show_age(part.uptime_s),
                show_bytes(part.memory_bytes),
                str(part.restarts),
            )
            for part in status.parts
        ]
        out.table(("process", "state", "pid", "uptime", "memory", "restarts"), cells)
    for problem in status.problems:
        out.line()
        out.line(f"{out.style('problem', 'red bold')}  {out.safe(problem)}")
    if status.state == "stopped":
        command = "azolla-local up" if status.name == "default" else f"azolla-local --env {status.name} up"
        out.line()
        out.line(f"start it:  {command}")


def _counts(tasks: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in tasks.items() if count) or ("none yet" if tasks else "")


def _shepherds(status: EnvironmentStatus) -> str:
    if not status.http:
        return ""
    connected = [one for one in status.shepherds if one.get("connected")]
    running = sum(int(one.get("running", 0)) for one in connected)
    return f"{len(connected)} connected, {running} attempts running"
