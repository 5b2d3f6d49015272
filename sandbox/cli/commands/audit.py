"""`azolla-local audit`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli import times
from sandbox.cli.completion import task_ids
from sandbox.cli.invocation import Invocation
from sandbox.cli.output import dump_json
from sandbox.cli.usage import WrongUsage

if TYPE_CHECKING:
    from sandbox.client import EventInfo


def command(
    inv: Invocation,
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Its id.", autocompletion=task_ids, show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens. Without TASK.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", metavar="N", min=1, help="Begin so many events back.")] = 50,
    after: Annotated[
        int | None,
        typer.Option(
            "--after", metavar="SEQ", min=0, help="Begin behind that event, up to the newest.", show_default=False
        ),
    ] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="NAME", show_default=False)] = None,
) -> None:
    """Print the history of a task, or of everything. What is here never changes."""
    with inv.client() as client:
        if task is not None:
            if follow or after is not None:
                raise WrongUsage("-f and --after go with the history of everything", hint="leave TASK out")
            _print(inv, client.history(task))
        else:
            start = {"after": after} if after is not None else {"last": last}
            events = client.events(**start, domain=domain, follow=follow)
            _print(inv, events, live=follow)


def _print(inv: Invocation, events: Iterable[EventInfo], *, live: bool = False) -> None:
    if inv.json:
        for event in events:
            inv.out.json_line(event.raw)
            if live:
                sys.stdout.flush()
        return
    if inv.quiet:
        for event in events:
            inv.out.line(str(event.seq))
        return
    if live:
        for event in events:
            inv.out.line("  ".join(inv.out.safe(cell) for cell in _row(event)))
            sys.stdout.flush()
        return
    rows = [_row(event) for event in events]
    inv.out.table(
        ("seq", "time", "event", "task", "attempt", "details"), rows, styles=("dim", "", "bold", "", "", "dim")
    )


def _row(event: EventInfo) -> tuple[str, ...]:
    return (
        str(event.seq),
        times.clock(event.time_ms),
        event.type,
        event.task_id or event.shepherd_id or "",
        str(event.attempt or ""),
        _details(event),
    )


def _details(event: EventInfo) -> str:
    parts = [f"{key}={value if isinstance(value, str) else dump_json(value)}" for key, value in event.metadata.items()]
    if event.shepherd_id and event.task_id:
        parts.append(f"shepherd={event.shepherd_id}")
    return " ".join(parts)
