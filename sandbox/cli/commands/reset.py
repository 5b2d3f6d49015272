"""`azolla-local reset`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from sandbox.cli.commands.environment_options import existing, show_bytes
from sandbox.cli.invocation import Invocation
from sandbox.errors import InvalidInput


class What(StrEnum):
    """What is deleted."""

    TASKS = "tasks"
    LOGS = "logs"
    ALL = "all"


_MEANS = {
    What.TASKS: "all tasks with their history and results",
    What.LOGS: "all logs of tasks",
    What.ALL: "everything: tasks, history, results and logs",
}


def command(
    inv: Invocation,
    what: Annotated[What, typer.Argument(help="What to delete.")] = What.ALL,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> int:
    """Delete everything the environment keeps.

    Or only its tasks, or only the logs. Asks first, and stops the environment if it runs.
    """
    environment = existing(inv)
    name = environment.folder.name
    size = environment.doomed_bytes(what.value)
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise InvalidInput(
                "nothing was deleted: nobody can be asked here",
                subject=name,
                why=f"it would delete {_MEANS[what]} ({show_bytes(size)}), and this is no terminal",
                hint=f"azolla-local reset {what.value} --yes",
            )
        question = f"Delete {_MEANS[what]} of the environment {name} ({show_bytes(size)})?"
        if not typer.confirm(question, default=False, err=True):
            inv.out.note("nothing was deleted")
            return 1
    freed = environment.reset(what.value, inv.out.note)
    if inv.json:
        inv.out.json_value({"name": name, "deleted": what.value, "bytes": freed})
    elif not inv.quiet:
        inv.out.line(f"deleted {_MEANS[what]} of {name}, {show_bytes(freed)}")
    return 0
