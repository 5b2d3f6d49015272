"""`azolla-local cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli.completion import unfinished_ids
from sandbox.cli.invocation import Invocation
from sandbox.cli.render_error import render_error
from sandbox.errors import SandboxError
from sandbox.model.status import TaskStatus


def command(
    inv: Invocation,
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Ids.", autocompletion=unfinished_ids)],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Kept in the history.", show_default=False)
    ] = "",
) -> int:
    """Cancel tasks. One that runs is ended: first asked to, then made to.

    A task that has ended stays as it is. All ids are tried; the exit code is that of the first that failed.
    """
    code = 0
    with inv.client() as client:
        for task_id in tasks:
            try:
                whole = client.get(task_id).task_id
                status = client.cancel(whole, reason)
            except SandboxError as error:
                if len(tasks) == 1:
                    raise
                render_error(error, inv.out)
                code = code or error.exit_code
                continue
            if inv.json:
                inv.out.json_line({"task_id": whole, "status": status.word})
            elif inv.quiet:
                continue
            else:
                inv.out.line(f"{whole}\t{_said(status)}")
    return code


def _said(status: TaskStatus) -> str:
    if status is TaskStatus.CANCELLED:
        return "cancelled"
    return f"has ended before: {status.word}" if status.ended else f"{status.word}, is being ended"
