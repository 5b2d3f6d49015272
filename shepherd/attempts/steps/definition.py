"""Step: find what a task name means, and refuse early what can't be run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import structlog

from shepherd.definitions import Catalog, TaskDefinition
from shepherd.errors import DefinitionError, UnknownTask
from shepherd.tiers.outcomes import Refused, refused
from shepherd.wire.payload import Assignment

LOOK_AGAIN_S = 0.2
"""Task files are looked at again at most this often."""

_log = structlog.get_logger(__name__)


class Definitions:
    """The catalog, looked at again while attempts come in."""

    def __init__(self, catalog: Catalog, monotonic: Callable[[], float], changed: Callable[[], None]) -> None:
        self._catalog = catalog
        self._monotonic = monotonic
        self._changed = changed
        """Called when names, policies or contents have changed."""
        self._looked = monotonic()
        self._look_forced = False

    @property
    def catalog(self) -> Catalog:
        """For reading."""
        return self._catalog

    def look_if_due(self) -> None:
        """Once before each batch of assignments, and now and then while idle."""
        self._look_forced = False
        if self._monotonic() - self._looked >= LOOK_AGAIN_S:
            self._look()

    def find(self, assignment: Assignment) -> TaskDefinition:
        """The definition of its task. Raises `Refused` with an end that says what is wrong."""
        try:
            try:
                return self._catalog.get(assignment.name)
            except UnknownTask:
                if self._look_forced:
                    raise
                # It may have been written a moment ago. One look for a batch is enough.
                self._look_forced = True
                self._look()
                return self._catalog.get(assignment.name)
        except UnknownTask as error:
            raise Refused(refused("UnknownTask", _sentence(error))) from error
        except DefinitionError as error:
            raise Refused(refused("BadDefinition", _sentence(error))) from error

    def _look(self) -> None:
        self._looked = self._monotonic()
        if self._catalog.refresh():
            self._changed()


def check_input(assignment: Assignment) -> None:
    """Raises `Refused` where args are no JSON array, or kwargs no JSON object."""
    args, kwargs = assignment.args, assignment.kwargs
    if args != "[]":
        _check("args", args, list, "array")
    if kwargs != "{}":
        _check("kwargs", kwargs, dict, "object")


def _check(name: str, text: str, kind: type, word: str) -> None:
    try:
        value: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(refused("BadArguments", f"{name} is no JSON: {error}")) from error
    if not isinstance(value, kind) and not (value is None and name == "kwargs"):
        found = type(value).__name__
        raise Refused(refused("BadArguments", f"{name} must be a JSON {word}, and this is {_WORDS.get(found, found)}"))


_WORDS = {
    "dict": "an object",
    "list": "an array",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "null",
}


def _sentence(error: DefinitionError) -> str:
    parts = [f"{error.what}: {error.subject}" if error.subject else error.what]
    parts += [part for part in (error.why, error.hint) if part]
    return "; ".join(parts)
