"""`azolla-local down`."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli.commands.environment_options import existing
from sandbox.cli.invocation import Invocation


def command(
    inv: Invocation,
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Don't wait for running tasks: they are lost, and tried again after `up`.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait, then as with --now.")
    ] = None,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete the state, too: tasks and logs.")] = False,
) -> None:
    """Stop the environment; what it knows stays on disk.

    Nothing of it runs afterwards. What was waiting goes on after the next `up`.
    """
    from sandbox.environments.contract import DownOptions

    environment = existing(inv)
    report = environment.down(DownOptions(now=now, timeout_s=timeout, volumes=volumes), inv.out.note)
    if inv.json:
        inv.out.json_value(report.to_json())
        return
    if inv.quiet:
        return
    out = inv.out
    if not report.was_running:
        out.line(f"{report.name} wasn't running")
    else:
        out.line(f"{out.style('down', 'bold')}  {report.name}, after {report.seconds:.1f} s")
    if report.killed and not now:
        out.line(f"  killed  {out.safe(', '.join(report.killed))}: they didn't end by themselves")
    if report.deleted:
        out.line("  its state is deleted")
    elif report.was_running:
        out.line(f"  its tasks and logs stay in {environment.folder.path}")
