"""`azolla-local id`."""

from __future__ import annotations

from typing import Annotated

import typer

from sandbox.cli import times
from sandbox.cli.completion import task_ids
from sandbox.cli.invocation import Invocation
from sandbox.errors import InvalidInput
from sandbox.model.ids import MAX_DOMAIN_NUMBER
from sandbox.model.ids import explain as explained

app = typer.Typer(no_args_is_help=True)

_SHORTEST_WHOLE = 32


@app.command("explain")
def explain(
    inv: Invocation,
    task: Annotated[str, typer.Argument(metavar="ID", help="A whole id, or a prefix.", autocompletion=task_ids)],
) -> None:
    """Take a task id apart: when it was made, for which domain.

    A whole id is read without asking anybody; a prefix is looked up.
    """
    whole = task
    if len(task) < _SHORTEST_WHOLE:
        with inv.client() as client:
            whole = client.get(task).task_id
    try:
        found = explained(whole)
    except ValueError as error:
        raise InvalidInput("This is no task id of azolla-local", subject=task, why=str(error)) from error
    if inv.json:
        inv.out.json_value(
            {
                "task_id": found.task_id,
                "created_ms": round(found.created.timestamp() * 1000),
                "domain_number": found.domain_number,
                "counter": found.counter,
            }
        )
        return
    shared = " or a later one" if found.domain_number == MAX_DOMAIN_NUMBER else ""
    inv.out.line(f"task     {found.task_id}")
    inv.out.line(
        f"created  {times.stamp(found.created)}, {times.age(round(found.created.timestamp() * 1000), times.now())} ago"
    )
    inv.out.line(f"domain   number {found.domain_number}{shared}")
    inv.out.line(f"counter  {found.counter}")
