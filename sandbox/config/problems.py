"""What is wrong with a configuration, told so that it can be mended: where, which key, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.errors import BadConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from."""

    kind: str
    """`default`, `file`, `environment` or `flag`."""
    where: str = ""
    """The file, the variable or the flag; empty for a default."""
    line: int | None = None
    """Line in the file, from 1; None where that is not known or means nothing."""

    def __str__(self) -> str:
        if self.kind == "default":
            return "default"
        return f"{self.where}:{self.line}" if self.line else self.where


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake."""

    origin: Origin
    key: str
    """Dotted, as in `orchestrator.grpc_port`; empty if the whole file is meant."""
    message: str
    nearest: str = ""
    """The known key that was probably meant."""

    def __str__(self) -> str:
        told = ": ".join(part for part in (str(self.origin), self.key, self.message) if part)
        return f"{told}; did you mean {self.nearest}?" if self.nearest else told


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like the given one, or "" if none is."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def refuse(problems: Iterable[Problem], *, subject: str) -> BadConfig:
    """The error that shows all of them."""
    lines = tuple(str(problem) for problem in problems)
    count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    return BadConfig(
        f"the configuration has {count}",
        problems=lines,
        subject=subject,
        hint="azolla-local config check   (after the change; all keys are in docs/configuration.md)",
    )
