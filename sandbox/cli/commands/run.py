"""`azolla-local run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli import task_options as options
from sandbox.cli.invocation import Invocation
from sandbox.cli.log_printer import LogPrinter
from sandbox.cli.task_options import TaskOptions, arguments, named_arguments
from sandbox.cli.usage import WrongUsage
from sandbox.cli.waiting import print_ended, wait_for_one
from sandbox.errors import InvalidInput, LogNotFound
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE

if TYPE_CHECKING:
    from sandbox.client import Client

_FILES = (".task", ".ini", ".py")


def command(
    inv: Invocation,
    name: options.Name = None,
    words: options.Words = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show its log from the first byte.")] = False,
    args: options.Args = None,
    kwargs: options.Kwargs = None,
    kwarg: options.Keyword = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="With -f: when each line was written.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="With -f: keep control sequences on a terminal.")] = False,
    domain: options.Domain = DEFAULT_DOMAIN,
    queue: options.Queue = DEFAULT_QUEUE,
    priority: options.Priority = 0,
    timeout: options.Timeout = None,
    retry_policy: options.Policy = None,
    retries: options.Retries = None,
    delay: options.Delay = None,
    at: options.At = None,
    label: options.Label = None,
    key: options.Key = None,
) -> int | None:
    """Submit a task and wait for it; -f shows its log as it is written. Exits as the task did.

        azolla-local run add 1 2
        azolla-local run -f report
        azolla-local run -f tasks/report.task

    NAME may be a file of a task folder of the environment. Without -f the result goes to stdout. With -f the
    task's stdout goes to stdout and its stderr to stderr. Ctrl-C leaves the task running.
    """
    if name is None:
        raise WrongUsage("No task is named", hint="azolla-local run NAME [ARGS]...")
    given = TaskOptions(
        domain=domain,
        queue=queue,
        priority=priority,
        timeout=timeout,
        retry_policy=retry_policy,
        retries=retries,
        delay=delay,
        at=at,
        label=label,
        key=key,
    )
    submission = given.submission(name, arguments(words, args), named_arguments(kwargs, kwarg))
    with inv.client() as client:
        submission.name = task_name(client, name)
        task_id = client.submit(submission).task_id
        inv.out.note(inv.out.err_style(f"task {task_id}", "dim"))
        try:
            if not follow:
                return wait_for_one(inv, client, task_id)
            _show_log(client, task_id, LogPrinter(out=inv.out, timestamps=timestamps, raw=raw))
            client.wait(task_id)
            return print_ended(inv, client.get(task_id), result=False)
        except KeyboardInterrupt:
            inv.out.note(inv.out.suggested(f"\nthe task goes on: azolla-local logs -f {task_id}"))
            inv.out.note(inv.out.suggested(f"  to end it: azolla-local cancel {task_id}"))
            raise


def _show_log(client: Client, task_id: str, printer: LogPrinter) -> None:
    try:
        for entry in client.logs(task_id, follow=True):
            printer.entry(entry, task_id=task_id)
    except LogNotFound:
        return  # it ended at once, and has written nothing: nothing to show


def task_name(client: Client, given: str) -> str:
    """The name itself, or the name of the one task that a file defines."""
    path = Path(given)
    if not given.endswith(_FILES) and "/" not in given:
        return given
    found = client.definitions()
    whole = path.resolve()
    names = sorted(one["name"] for one in found["definitions"] if Path(one["source"]).resolve() == whole)
    if len(names) == 1:
        return names[0]
    if names:
        raise InvalidInput(
            "The file defines several tasks",
            subject=given,
            why=", ".join(names),
            hint=f"azolla-local run {names[0]}",
        )
    if not path.exists():
        raise InvalidInput("There is no such file", subject=given, hint="azolla-local ls --definitions")
    broken = [line for line in found["problems"] if whole.name in line]
    if broken:
        raise InvalidInput(
            "The file can't be used", subject=given, why="\n".join(broken), hint=f"azolla-local validate {given}"
        )
    raise InvalidInput(
        "The file lies in no task folder of the environment",
        subject=given,
        why="tasks are found by name in the folders of `tasks.folders`",
        hint="move it into one of them, or add its folder: azolla-local config show",
    )
