"""What a check is, and how all of them are made. None changes anything on the machine; together they take a second."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, but something will be slower, weaker or full soon."""
    MISSING = "missing"
    """It isn't there, or can't be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check has found."""

    name: str
    state: State
    found: str
    """What is there, in a few words."""
    enables: str
    """What it is good for."""
    how: str = ""
    """How to get or mend it; empty if it is all right."""
    required: bool = False
    """Whether nothing works without it."""

    @property
    def fatal(self) -> bool:
        return self.required and self.state is State.MISSING

    def to_json(self) -> dict[str, Any]:
        """The form of `doctor --json`; part of its contract."""
        return asdict(self)


Check = Callable[[], Finding]


def run_checks(checks: Sequence[Check]) -> list[Finding]:
    """Make all checks at the same time; gives the findings in the order of the checks."""
    with ThreadPoolExecutor(max_workers=max(1, len(checks))) as pool:
        return [made.result() for made in [pool.submit(check) for check in checks]]


def output_of(command: Sequence[str], *, timeout_s: float = 5.0) -> str | None:
    """The first line that a program prints; None if it can't be run, fails, or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if lines else ""
