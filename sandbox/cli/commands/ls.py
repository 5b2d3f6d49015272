"""`azolla-local ls`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli import times
from sandbox.cli.completion import statuses, task_names
from sandbox.cli.invocation import Invocation
from sandbox.cli.json_input import assignment
from sandbox.cli.usage import WrongUsage

if TYPE_CHECKING:
    from sandbox.client import Client, TaskInfo

_PAGE = 500
_REDRAW_S = 1.0


def command(
    inv: Invocation,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            "-s",
            metavar="STATUS",
            help="Only these: failed, running, unfinished, ended, …; may be repeated.",
            autocompletion=statuses,
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="GLOB", help="Only these names.", autocompletion=task_names, show_default=False),
    ] = None,
    domain: Annotated[str | None, typer.Option("--domain", metavar="NAME", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option("--queue", metavar="NAME", show_default=False)] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="May be repeated.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Created since: an age (5m) or a time.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="WHEN", help="Created before: an age or a time.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.")] = 20,
    everything: Annotated[bool, typer.Option("--all", "-a", help="All of them.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Draw it anew every second.")] = False,
    definitions: Annotated[bool, typer.Option("--definitions", help="List what can be run instead.")] = False,
) -> None:
    """List tasks, newest first.

    azolla-local ls -s failed --since 1h
    azolla-local ls --name 'census-*' -q | xargs azolla-local cancel
    azolla-local ls --definitions
    """
    with inv.client() as client:
        if definitions:
            _definitions(inv, client)
            return

        def found() -> Iterator[TaskInfo]:
            tasks = _tasks(
                client,
                page=_PAGE if everything else min(limit, _PAGE),
                domain=domain,
                queue=queue,
                statuses=tuple(status or ()),
                name=name,
                labels=dict(assignment(text, "--label") for text in label or ()),
                since=since,
                until=until,
            )
            return tasks if everything else islice(tasks, limit)

        if watch:
            _watch(inv, lambda: list(found()))
        else:
            _print(inv, found(), whole=everything, limit=limit)


def _tasks(client: Client, *, page: int, **which: object) -> Iterator[TaskInfo]:
    cursor: str | None = None
    while True:
        some = client.list(limit=page, cursor=cursor, **which)  # pyright: ignore[reportArgumentType] - the filters of the caller, as they are
        yield from some.tasks
        cursor = some.next_cursor
        if cursor is None:
            return


def _print(inv: Invocation, tasks: Iterator[TaskInfo], *, whole: bool, limit: int) -> None:
    if inv.json:
        for task in tasks:
            inv.out.json_line(task.raw)
        return
    if inv.quiet:
        for task in tasks:
            inv.out.line(task.task_id)
        return
    shown = list(tasks)
    _table(inv, shown)
    if not shown:
        inv.out.note("no tasks")
    elif not whole and len(shown) == limit and inv.out.stdout_is_terminal:
        inv.out.note(inv.out.err_style(f"the newest {limit}; more with -n N or --all", "dim"))


def _table(inv: Invocation, tasks: list[TaskInfo]) -> None:
    now = times.now()
    rows = [
        (
            task.task_id,
            task.status.word,
            task.name,
            str(task.attempt),
            _age(task, now),
            _took(task, now),
            _remark(task, now),
        )
        for task in tasks
    ]
    columns = ("task", "status", "name", "attempt", "age", "took", "remark")
    inv.out.table(columns, rows, styles=("", "status", "bold", "", "", "", "dim"))


def _age(task: TaskInfo, now: datetime) -> str:
    return times.age(task.created_ms, now)


def _took(task: TaskInfo, now: datetime) -> str:
    if task.started_ms is None:
        return ""
    end = task.ended_ms if task.ended_ms is not None else now.timestamp() * 1000
    return times.span(max(0.0, end - task.started_ms) / 1000)


def _remark(task: TaskInfo, now: datetime) -> str:
    if task.error_type:
        return f"{task.error_type}: {task.error_message}" if task.error_message else task.error_type
    if task.due_ms and not task.status.ended and task.due_ms / 1000 > now.timestamp():
        return f"due in {times.span(task.due_ms / 1000 - now.timestamp())}"
    return ""


def _watch(inv: Invocation, found: Callable[[], list[TaskInfo]]) -> None:
    if not inv.out.stdout_is_terminal or inv.json:
        raise WrongUsage("--watch draws on a terminal", hint="azolla-local audit -f --json follows what happens")
    try:
        while True:
            tasks = found()
            sys.stdout.write("\x1b[H\x1b[2J")
            _table(inv, tasks)
            sys.stdout.flush()
            time.sleep(_REDRAW_S)
    except KeyboardInterrupt:
        return


def _definitions(inv: Invocation, client: Client) -> None:
    found = client.definitions()
    if inv.json:
        inv.out.json_value(found)
        return
    known = sorted(found["definitions"], key=lambda one: one["name"])
    if inv.quiet:
        for one in known:
            inv.out.line(one["name"])
        return
    rows = [(one["name"], one["kind"], one.get("description", ""), one["source"]) for one in known]
    inv.out.table(("name", "kind", "description", "source"), rows, styles=("bold", "", "", "dim"))
    for problem in found["problems"]:
        inv.out.error_line(f"{inv.out.err_style('problem:', 'yellow')} {inv.out.safe(problem)}")
    if not known:
        inv.out.note("nothing can be run: the task folders are empty (azolla-local config show)")
