"""`azolla-local logs`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sandbox.cli.commands.wait import whole_id
from sandbox.cli.completion import task_ids
from sandbox.cli.invocation import Invocation
from sandbox.cli.log_printer import LogPrinter
from sandbox.cli.usage import WrongUsage

if TYPE_CHECKING:
    from sandbox.client import LogEntry

_STREAMS: dict[str, Literal["stdout", "stderr"]] = {
    "out": "stdout",
    "stdout": "stdout",
    "err": "stderr",
    "stderr": "stderr",
}


def command(
    inv: Invocation,
    tasks: Annotated[list[str], typer.Argument(metavar="TASK...", help="Ids.", autocompletion=task_ids)],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the task has ended.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", min=0, help="Only the last N lines.", show_default=False)
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="An age (5m) or a time.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="An age (5m) or a time.", show_default=False)
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="When each line was written.")] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="Only that attempt.", show_default=False)
    ] = None,
    stream: Annotated[
        str | None, typer.Option("--stream", metavar="out|err", help="Only that stream.", show_default=False)
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="RE", help="Only lines that match.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="SINK", help="Read from that sink.", show_default=False)
    ] = None,
    prefix: Annotated[bool, typer.Option("--prefix", help="Before each line: task, attempt, stream.")] = False,
    merge: Annotated[bool, typer.Option("--merge", help="Both streams to stdout.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Keep control sequences on a terminal.")] = False,
) -> None:
    """Print what tasks have written: their stdout to stdout, their stderr to stderr.

        azolla-local logs -f 0199c2f4
        azolla-local logs 0199c2f4 --since 5m --grep 'warn|error'

    From the first byte, over all attempts. -f may start before the task does, survives its retries, and ends
    with it. Several tasks at once are told apart by a prefix.
    """
    if stream is not None and stream not in _STREAMS:
        raise WrongUsage("--stream is out or err", subject=stream)
    printer = LogPrinter(out=inv.out, timestamps=timestamps, raw=raw, merge=merge)
    with inv.client() as client:
        ids = [whole_id(client, text) for text in tasks]

        def read(task_id: str) -> Iterator[LogEntry]:
            return client.logs(
                task_id,
                follow=follow,
                tail=tail,
                since=since,
                until=until,
                stream=_STREAMS[stream] if stream else None,
                grep=grep,
                attempt=attempt,
                source=source,
            )

        def show(task_id: str) -> None:
            at = ids.index(task_id)
            for entry in read(task_id):
                text = f"[{task_id} {entry.attempt} {entry.stream}]" if prefix or len(ids) > 1 else ""
                printer.entry(entry, task_id=task_id, prefix=text, color=at)

        if follow and len(ids) > 1:
            _at_once(ids, show)
        else:
            for task_id in ids:
                show(task_id)


def _at_once(ids: list[str], show: Callable[[str], None]) -> None:
    """Follow all of them; the first error, if there is any, is raised when all have ended."""
    errors: list[Exception] = []

    def run(task_id: str) -> None:
        try:
            show(task_id)
        except Exception as error:  # noqa: BLE001 - kept, and raised again in the main thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task_id,), daemon=True) for task_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
