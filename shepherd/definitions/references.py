"""`${NAME}` and `${secret:NAME}` in task files: found when a file is read, filled in when an attempt starts.

`$${` stands for a plain `${`. Any other `$` is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_REFERENCE = re.compile(r"\$(\$\{)|\$\{(?:(secret):)?([^}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

EXPECTED = "${NAME} or ${secret:NAME}; $${ for a plain ${"


class Reference(NamedTuple):
    """One reference: the name of a variable, or of a secret."""

    name: str
    secret: bool


class MissingReference(KeyError):
    """A reference that nothing fills."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(reference.name)
        self.reference = reference

    def __str__(self) -> str:
        kind = "secret" if self.reference.secret else "variable"
        return f"there is no {kind} {self.reference.name}"


def references(text: str) -> list[Reference]:
    """What a value refers to, in order. ValueError where a `${` has no end or no proper name."""
    found: list[Reference] = []
    for match in _REFERENCE.finditer(text):
        if match[1]:
            continue
        name = match[3]
        if name is None or not (_SECRET_NAME if match[2] else _NAME).fullmatch(name):
            raise ValueError(EXPECTED)
        found.append(Reference(name, secret=match[2] is not None))
    return found


def expand(text: str, variables: Mapping[str, str], secrets: Mapping[str, str] | None = None) -> str:
    """The value with its references filled in. Raises :class:`MissingReference`."""
    if "$" not in text:
        return text

    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        reference = Reference(match[3] or "", secret=match[2] is not None)
        values = (secrets or {}) if reference.secret else variables
        try:
            return values[reference.name]
        except KeyError:
            raise MissingReference(reference) from None

    return _REFERENCE.sub(fill, text)


def expand_environment(
    environment: Mapping[str, str], base: Mapping[str, str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """The variables of a task with their references filled in, in the order in which they are written.

    A reference to a variable sees `base` and the entries above it. Raises :class:`MissingReference`.
    """
    known = dict(base)
    filled: dict[str, str] = {}
    for name, value in environment.items():
        filled[name] = known[name] = expand(value, known, secrets)
    return filled
