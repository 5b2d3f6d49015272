"""`azolla-local wait`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli.completion import unfinished_ids
from sandbox.cli.invocation import Invocation
from sandbox.cli.times import duration
from sandbox.cli.usage import WrongUsage
from sandbox.cli.waiting import wait_for

if TYPE_CHECKING:
    from sandbox.client import Client

_ID_LENGTH = 36


def command(
    inv: Invocation,
    tasks: Annotated[
        list[str],
        typer.Argument(metavar="TASK...", help="Ids, or - to read them from the input.", autocompletion=unfinished_ids),
    ],
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="DURATION", help="Give up after that.", show_default=False)
    ] = None,
) -> int:
    """Wait until tasks have ended. For one task, prints its result and exits as it did.

    azolla-local wait 0199c2f4
    azolla-local submit add --args - <work.jsonl | azolla-local wait -
    """
    seconds = duration(timeout, "--timeout") if timeout else None
    given = [line for word in tasks for line in (sys.stdin.read().split() if word == "-" else [word])]
    if not given:
        raise WrongUsage("There are no ids on standard input")
    with inv.client() as client:
        ids = list(dict.fromkeys(whole_id(client, text) for text in given))
        return wait_for(inv, client, ids, seconds)


def whole_id(client: Client, text: str) -> str:
    """The id that a prefix means; a whole id as it is, without asking."""
    return text.lower() if len(text) == _ID_LENGTH else client.get(text).task_id
