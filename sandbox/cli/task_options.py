"""The options with which `submit` and `run` describe a task, and what they make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from sandbox.cli import json_input, times
from sandbox.cli.completion import task_names
from sandbox.client.submission import Submission
from sandbox.errors import InvalidInput
from sandbox.model.retry_policy import ANY_ERROR, RetryPolicy
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The task to run.", autocompletion=task_names, show_default=False)
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ARGS]...",
        help="Its arguments: each a JSON value; a word that is none is taken as a string.",
        show_default=False,
    ),
]
Args = Annotated[
    str | None,
    typer.Option("--args", metavar="JSON|@FILE|-", help="All arguments as one JSON array.", show_default=False),
]
Kwargs = Annotated[
    str | None,
    typer.Option("--kwargs", metavar="JSON|@FILE", help="Named arguments as a JSON object.", show_default=False),
]
Keyword = Annotated[
    list[str] | None,
    typer.Option("-k", "--kwarg", metavar="KEY=VALUE", help="A named argument; may be repeated.", show_default=False),
]
Domain = Annotated[str, typer.Option("--domain", metavar="NAME", help="The domain that owns the task.")]
Queue = Annotated[str, typer.Option("--queue", metavar="NAME", help="Where it waits.")]
Priority = Annotated[int, typer.Option("--priority", metavar="N", help="Higher goes first.")]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="Time for each attempt, such as 90s or 2m.", show_default=False),
]
Policy = Annotated[
    str | None,
    typer.Option("--retry-policy", metavar="JSON|@FILE", help="When it is tried again.", show_default=False),
]
Retries = Annotated[
    int | None,
    typer.Option("--retries", metavar="N", min=0, help="Try again N times after any error.", show_default=False),
]
Delay = Annotated[
    str | None, typer.Option("--delay", metavar="DURATION", help="Start it so much later.", show_default=False)
]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="Start it then (ISO 8601, local time).", show_default=False)
]
Label = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; may be repeated.", show_default=False)
]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="Idempotency key: the same key gives the same task.", show_default=False),
]


@dataclass(slots=True, kw_only=True)
class TaskOptions:
    """What was given, apart from name and arguments."""

    domain: str = DEFAULT_DOMAIN
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    timeout: str | None = None
    retry_policy: str | None = None
    retries: int | None = None
    delay: str | None = None
    at: str | None = None
    label: Sequence[str] | None = None
    key: str | None = None

    def submission(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Submission:
        """The task that is meant. InvalidInput for what can't be."""
        return Submission(
            name=name,
            args=args,
            kwargs=kwargs,
            domain=self.domain,
            queue=self.queue,
            priority=self.priority,
            timeout=times.duration(self.timeout, "--timeout") if self.timeout else None,
            delay=times.duration(self.delay, "--delay") if self.delay else None,
            not_before=self._start(),
            retry_policy=self._policy(),
            labels=dict(json_input.assignment(text, "--label") for text in self.label or ()),
            key=self.key,
        )

    def _start(self) -> datetime | None:
        if self.at is None:
            return None
        if self.delay is not None:
            raise InvalidInput("Give --delay or --at, not both")
        return times.moment(self.at, "--at")

    def _policy(self) -> RetryPolicy | None:
        if self.retry_policy is None:
            return None if self.retries is None else retry_any_error(self.retries)
        if self.retries is not None:
            raise InvalidInput("Give --retries or --retry-policy, not both")
        text = json_input.read_text(self.retry_policy, "--retry-policy")
        found = json_input.parse_object(text, "The retry policy")
        try:
            return RetryPolicy.from_dict(found)
        except ValueError as error:
            raise InvalidInput("The retry policy is wrong", why=str(error)) from error


def retry_any_error(retries: int) -> RetryPolicy:
    """So many retries after whatever error, with the default waits between them."""
    return RetryPolicy(max_attempts=retries + 1, include_errors=(ANY_ERROR,)).checked()


def arguments(words: Sequence[str] | None, args: str | None) -> list[Any]:
    """The positional input: the words, or all of `--args`."""
    if args is None:
        return [json_input.word(text) for text in words or ()]
    if words:
        raise InvalidInput("Give arguments as words or with --args, not both", subject=" ".join(words))
    return json_input.parse_array(json_input.read_text(args, "--args"), "--args")


def named_arguments(kwargs: str | None, pairs: Sequence[str] | None) -> dict[str, Any]:
    """The named input: `--kwargs`, with each `-k` over it."""
    found: dict[str, Any] = {}
    if kwargs is not None:
        found |= json_input.parse_object(json_input.read_text(kwargs, "--kwargs"), "--kwargs")
    for text in pairs or ():
        key, value = json_input.assignment(text, "-k")
        found[key] = json_input.word(value)
    return found
