"""Tasks from standard input, one JSON document a line: an array of arguments, or an object.

Everything is read and checked before anything is sent, as long as the input comes to an end soon: a pause of
half a second, or more than a million lines, make it a stream. A stream is sent as it comes, in batches.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.cli import json_input
from sandbox.cli.usage import did_you_mean, nearest
from sandbox.client.submission import Submission
from sandbox.errors import BadArguments, InvalidInput

BATCH = 1000
PAUSE_S = 0.5
ENOUGH_LINES = 1_000_000

_FIELDS = frozenset({"name", "args", "kwargs", "key", "priority", "queue", "domain", "labels"})

Make = Callable[[str, list[Any], dict[str, Any]], Submission]


def submission_of_line(line: str, number: int, name: str | None, make: Make) -> Submission:
    """The task of a line. BadArguments and InvalidInput name the line."""
    value = json_input.parse(line, "The input", line=number)
    if json_input.is_array(value):
        return make(_name(name, number), value, {})
    if not json_input.is_object(value):
        raise BadArguments(
            "A line must be a JSON array or object",
            subject=f"line {number}",
            why=f"it is {json_input.kind(value)}",
            hint='[1, 2] or {"args": [1, 2], "kwargs": {}, "name": "add"}',
        )
    for field in value:
        if field not in _FIELDS:
            near = did_you_mean(nearest(field, _FIELDS)) or ", ".join(sorted(_FIELDS))
            raise InvalidInput(f"There is no field {field!r}", subject=f"line {number}", hint=near)
    args = _typed(value, "args", list, [], number)
    kwargs = _typed(value, "kwargs", dict, {}, number)
    submission = make(_name(_typed(value, "name", str, name, number), number), args, kwargs)
    submission.key = _typed(value, "key", str, submission.key, number)
    submission.priority = _typed(value, "priority", int, submission.priority, number)
    submission.queue = _typed(value, "queue", str, submission.queue, number)
    submission.domain = _typed(value, "domain", str, submission.domain, number)
    submission.labels = {**submission.labels, **_typed(value, "labels", dict, {}, number)}
    return submission


def _typed(value: dict[str, Any], field: str, kind: type[Any], default: Any, number: int) -> Any:
    given = value.get(field)
    if given is None:
        return default
    if not isinstance(given, kind) or isinstance(given, bool):
        article = {list: "an array", dict: "an object", str: "a string", int: "a whole number"}[kind]
        raise BadArguments(
            f"{field} must be {article}", subject=f"line {number}", why=f"it is {json_input.kind(given)}"
        )
    return given


def _name(name: str | None, number: int) -> str:
    if not name:
        raise BadArguments(
            "No task is named",
            subject=f"line {number}",
            hint='azolla-local submit NAME --args -, or {"name": "add", …} on each line',
        )
    return name


class LineSource:
    """Lines of a file descriptor, with their numbers from 1. `ended` tells whether all of them are there yet."""

    def __init__(self, fd: int, *, pause_s: float = PAUSE_S, enough: int = ENOUGH_LINES) -> None:
        self._fd = fd
        self._pause_s = pause_s
        self._enough = enough
        self._rest = b""
        self._number = 0
        self.ended = False

    def first(self) -> list[tuple[int, str]]:
        """All lines, or those that came before the first pause; see `ended`."""
        found: list[tuple[int, str]] = []
        with selectors.DefaultSelector() as selector:
            try:
                selector.register(self._fd, selectors.EVENT_READ)
            except PermissionError:  # a regular file is always ready, and can't be waited for
                while not self.ended and len(found) < self._enough:
                    found += self._read()
                return found
            while not self.ended and len(found) < self._enough:
                if found and not selector.select(self._pause_s):
                    break
                found += self._read()
        return found

    def rest(self) -> Iterator[list[tuple[int, str]]]:
        """What comes after `first`, as it comes."""
        while not self.ended:
            lines = self._read()
            if lines:
                yield lines

    def _read(self) -> list[tuple[int, str]]:
        data = os.read(self._fd, 1 << 16)
        if data:
            *whole, self._rest = (self._rest + data).split(b"\n")
        else:
            self.ended = True
            whole = [self._rest] if self._rest else []
        found: list[tuple[int, str]] = []
        for line in whole:
            self._number += 1
            if not line.strip():
                continue
            try:
                found.append((self._number, line.decode()))
            except UnicodeDecodeError:
                raise BadArguments("The input is no UTF-8 text", subject=f"line {self._number}") from None
        return found
