"""What a new task must look like to be taken. Refused at the door, nothing half done."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from typing import Any

import orjson

from sandbox.errors import BadArguments, InvalidInput, UnknownTaskName
from sandbox.model.task import NewTask

MAX_NAME = 200
MAX_LABELS = 64
MAX_PRIORITY = 1_000_000
LONGEST_TIMEOUT_MS = 366 * 86_400_000
LATEST_MS = 253_402_300_799_999
"""The end of the year 9999."""


def check(new: NewTask) -> None:
    """InvalidInput that names what is wrong, or nothing."""
    _check_word("name", new.name)
    _check_word("domain", new.domain)
    _check_word("queue", new.queue)
    if new.args != "[]":
        _check_json("args", new.args, list, 'a JSON array, such as [1, "two"]')
    if new.kwargs != "{}":
        _check_json("kwargs", new.kwargs, dict, 'a JSON object, such as {"depth": 2}')
    if not -MAX_PRIORITY <= new.priority <= MAX_PRIORITY:
        raise InvalidInput(
            "The priority is out of range", subject=str(new.priority), why=f"it may go to ±{MAX_PRIORITY}"
        )
    if not 0 <= new.timeout_ms <= LONGEST_TIMEOUT_MS:
        raise InvalidInput("The timeout is out of range", subject=f"{new.timeout_ms} ms", why="a year is the most")
    if not 0 <= new.not_before_ms <= LATEST_MS:
        raise InvalidInput("The start time is out of range", subject=f"{new.not_before_ms} ms")
    if new.idempotency_key is not None and not 0 < len(new.idempotency_key) <= MAX_NAME:
        raise InvalidInput("An idempotency key has 1 to 200 characters", subject=new.idempotency_key[:40])
    if new.labels:
        if len(new.labels) > MAX_LABELS:
            raise InvalidInput("Too many labels", subject=new.name, why=f"{len(new.labels)} of at most {MAX_LABELS}")
        for key, value in new.labels.items():
            _check_word("label name", key)
            if len(value) > 1000:
                raise InvalidInput("The value of a label is too long", subject=key, why="1,000 characters are the most")


def _check_word(what: str, text: str) -> None:
    if 0 < len(text) <= MAX_NAME and text.isprintable():
        return
    if not text:
        raise InvalidInput(f"The {what} is empty")
    if len(text) > MAX_NAME:
        raise InvalidInput(
            f"The {what} is too long", subject=text[:40] + "…", why=f"{MAX_NAME} characters are the most"
        )
    raise InvalidInput(f"The {what} has characters that can't be shown", subject=repr(text))


def _check_json(what: str, text: str, kind: type[Any], expected: str) -> None:
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadArguments(
            f"The {what} are not JSON", subject=_short(text), why=f"{error.msg} ({where})", hint=f"give {expected}"
        ) from None
    if not isinstance(value, kind):
        raise BadArguments(
            f"The {what} have the wrong shape",
            subject=_short(text),
            why=f"this is {_shape(value)}",
            hint=f"give {expected}",
        )


def _shape(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a string"
        case None:
            return "null"
        case bool():
            return "true or false"
        case _:
            return "a number"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def check_name(
    name: str,
    offered: set[str] | None,
    defined: Callable[[], Collection[str]],
    unreadable: Callable[[], Collection[str]],
) -> None:
    """UnknownTaskName if no shepherd offers a task of that name and no task folder holds one.

    `offered` is None where a shepherd is connected that tells no names: then nothing can be said.
    `defined` looks into the task folders, `unreadable` tells which of their files have mistakes; both are asked
    only when it matters, so that a file that was saved a moment ago counts.
    """
    if offered is None or name in offered:
        return
    known = {*offered, *defined()}
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=3)
    why = f"{len(known)} names are known here, and this is none of them" if known else "the task folders are empty"
    hint = f"did you mean {' or '.join(near)}?" if near else "azolla-local ls --definitions shows what there is"
    broken = sorted(unreadable())
    if broken:
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        why += f"; but a task file can't be read: {broken[0]}{more}"
        hint = "azolla-local validate FILE shows every mistake in it"
    raise UnknownTaskName("No task has that name", subject=name, why=why, hint=hint)
