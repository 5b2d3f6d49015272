"""`azolla-local why`."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli.completion import task_ids
from sandbox.cli.invocation import Invocation


def command(
    inv: Invocation,
    task: Annotated[str, typer.Argument(metavar="TASK", help="Its id.", autocompletion=task_ids)],
) -> None:
    """Say why a task stands where it stands, and what can be done about it."""
    with inv.client() as client:
        why = client.why(task)
    if inv.json:
        inv.out.json_value(why.raw)
        return
    inv.out.line(f"{inv.out.status(why.status.word)}: {inv.out.safe(why.sentence, one_line=False)}")
    for hint in why.hints:
        inv.out.line(f"  {inv.out.style('try:', 'cyan')} {inv.out.safe(inv.out.suggested(hint))}")
