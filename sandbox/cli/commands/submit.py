"""`azolla-local submit`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import task_options as options
from sandbox.cli.invocation import Invocation
from sandbox.cli.many_tasks import BATCH, LineSource, submission_of_line
from sandbox.cli.progress import Progress
from sandbox.cli.task_options import TaskOptions, arguments, named_arguments
from sandbox.cli.usage import WrongUsage
from sandbox.cli.waiting import wait_for
from sandbox.client.submission import Submission
from sandbox.errors import SandboxError
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE

if TYPE_CHECKING:
    from sandbox.client import Client

_SHOWN_ON_A_TERMINAL = 20


def command(
    inv: Invocation,
    name: options.Name = None,
    words: options.Words = None,
    args: options.Args = None,
    kwargs: options.Kwargs = None,
    kwarg: options.Keyword = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until it has ended; exit 1 if it failed.")] = False,
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
    """Submit one task, or many from a file or a pipe. Prints their ids.

        azolla-local submit add 1 2
        azolla-local submit greet Ada -k shout=true
        azolla-local submit add --args '[1, 2]'
        azolla-local submit add -- -1 2
        seq 1000 | sed 's/.*/[&, 1]/' | azolla-local submit add --args -

    Each argument is a JSON value; a word that is none is taken as a string. With `--args -` each line of the
    input is one task: an array of arguments, or an object with args, kwargs, name, key, priority, queue,
    domain, labels. All lines are checked before the first task is sent.
    """
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
    with inv.client() as client:
        if args == "-":
            if words:
                raise WrongUsage("Give arguments as words or on standard input, not both", subject=" ".join(words))
            if key is not None:
                raise WrongUsage("--key is for one task", hint='give each line its own: {"args": […], "key": "…"}')
            ids = _many(inv, client, name, given, named_arguments(kwargs, kwarg))
        else:
            if name is None:
                raise WrongUsage("No task is named", hint="azolla-local submit NAME [ARGS]...")
            submission = given.submission(name, arguments(words, args), named_arguments(kwargs, kwarg))
            ids = [client.submit(submission).task_id]
            _print_ids(inv, ids)
        return wait_for(inv, client, ids) if wait else None


def _many(inv: Invocation, client: Client, name: str | None, given: TaskOptions, common: dict[str, Any]) -> list[str]:
    def make(task: str, args: list[Any], kwargs: dict[str, Any]) -> Submission:
        return given.submission(task, args, common | kwargs)

    read = functools.partial(submission_of_line, name=name, make=make)
    source = LineSource(sys.stdin.fileno())
    first = [read(line, number) for number, line in source.first()]
    if not first and source.ended:
        raise WrongUsage("There are no tasks on standard input", hint="one JSON array or object a line")
    ids: list[str] = []
    with Progress(inv.out, "submitting", len(first) if source.ended else None) as progress:
        try:
            for accepted in client.submit_batches(first, batch=BATCH):
                ids += _accepted(inv, accepted, progress, source)
            for lines in source.rest():
                for accepted in client.submit_batches((read(line, number) for number, line in lines), batch=BATCH):
                    ids += _accepted(inv, accepted, progress, source)
        except SandboxError as error:
            if ids:
                error.why = "\n".join(filter(None, [error.why, f"{len(ids):,} tasks before it were accepted"]))
            raise
    if _hides_ids(inv, ids):
        inv.out.note("the ids are printed where the output is a file or a pipe")
    elif inv.out.stdout_is_terminal and source.ended and not inv.json:
        _print_ids(inv, ids)
    inv.out.note(f"submitted {progress.rate()}")
    return ids


def _accepted(inv: Invocation, accepted: Sequence[str], progress: Progress, source: LineSource) -> Sequence[str]:
    progress.advance(len(accepted))
    if not inv.out.stdout_is_terminal or inv.json or not source.ended:
        _print_ids(inv, accepted)
    return accepted


def _hides_ids(inv: Invocation, ids: Sequence[str]) -> bool:
    return inv.out.stdout_is_terminal and not inv.json and len(ids) > _SHOWN_ON_A_TERMINAL


def _print_ids(inv: Invocation, ids: Sequence[str]) -> None:
    for line in _id_lines(inv, ids):
        inv.out.line(line)
    sys.stdout.flush()


def _id_lines(inv: Invocation, ids: Sequence[str]) -> Iterator[str]:
    return (f'{{"task_id":"{task_id}"}}' if inv.json else task_id for task_id in ids)
