"""`azolla-local up`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli.commands.environment_options import ConfigOption, embedded, name_of
from sandbox.cli.invocation import Invocation

if TYPE_CHECKING:
    from sandbox.environments.contract import UpReport


def command(
    inv: Invocation,
    *,
    tasks: Annotated[
        list[Path] | None, typer.Option("--tasks", metavar="FOLDER", help="A folder with task definitions; repeatable.")
    ] = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop everything on Ctrl-C.")] = False,
    grpc_port: Annotated[
        int | None, typer.Option("--grpc-port", metavar="PORT", help="Port of the gRPC services; 0: any free one.")
    ] = None,
    http_port: Annotated[
        int | None, typer.Option("--http-port", metavar="PORT", help="Port of the HTTP API; 0: any free one.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until a task can run.")] = True,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait.", show_default="30")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Stop first what runs, so that a changed configuration counts.")
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Start the environment.

    Does nothing if it runs already, and mends what is half-started. Returns as soon as a task can run.
    """
    from sandbox.environments.contract import UpOptions

    flags: dict[tuple[str | int, ...], tuple[str, object]] = {
        ("tasks", "folders"): ("--tasks", tasks or None),
        ("orchestrator", "grpc_port"): ("--grpc-port", grpc_port),
        ("orchestrator", "http_port"): ("--http-port", http_port),
    }
    environment, settings = embedded(inv, config, flags)
    limit = timeout if timeout is not None else settings.environment.start_timeout.total_seconds()
    options = UpOptions(wait=wait, timeout_s=limit, restart=restart, foreground=foreground)
    report = environment.up(options, inv.out.note)
    if not foreground:
        _tell(inv, report)
        return 0
    code = environment.follow(inv.out.note, begin=lambda: _tell(inv, report, foreground=True))
    if report.already_running:
        inv.out.note("it runs in the background already; down stops it")
    return code


def _tell(inv: Invocation, report: UpReport, *, foreground: bool = False) -> None:
    import sys

    if inv.json:
        inv.out.json_value(report.to_json())
    elif inv.quiet:
        inv.out.line(f"http://{report.http}")
    else:
        _show(inv, report, foreground=foreground and not report.already_running)
    sys.stdout.flush()


def _show(inv: Invocation, report: UpReport, *, foreground: bool) -> None:
    out = inv.out
    name = name_of(inv)
    azolla = "azolla-local" if name == "default" else f"azolla-local --env {name}"
    if report.already_running:
        head = f"{out.style('already up', 'green bold')}  {name}"
    elif report.ready:
        head = f"{out.style('up', 'green bold')}  {name}, ready after {report.seconds:.1f} s"
    else:
        head = f"{out.style('starting', 'yellow bold')}  {name}; {azolla} status tells when it is ready"
    out.line(head)
    folders = ", ".join(report.task_folders) or "none; give some with --tasks FOLDER"
    rows = [
        ("http", f"http://{report.http}"),
        ("grpc", report.grpc),
        ("tasks", folders + _definitions(report)),
        ("logs", str(report.logs)),
        ("state", str(report.state_folder)),
    ]
    for label, value in rows:
        out.line(f"  {out.style(f'{label:<6}', 'dim')} {out.safe(value)}")
    for note in report.notes:
        out.line(f"  {out.style('note', 'yellow')}   {out.safe(note)}")
    if foreground:
        out.line("Ctrl-C stops it.")
        return
    out.line()
    if report.definitions == 0 or not report.task_folders:
        out.line(f"next:  write a task into a folder, then  {azolla} up --restart --tasks FOLDER")
    else:
        out.line(f"next:  {azolla} run -f NAME      {azolla} ls      {azolla} status      {azolla} down")


def _definitions(report: UpReport) -> str:
    if report.definitions is None or not report.task_folders:
        return ""
    count = "1 task definition" if report.definitions == 1 else f"{report.definitions} task definitions"
    broken = f", {report.broken_definitions} broken: azolla-local validate" if report.broken_definitions else ""
    return f"  ({count}{broken})"
