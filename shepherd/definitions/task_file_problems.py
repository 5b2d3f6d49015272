"""What is wrong in a task file or a Python module of tasks, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, or, as a warning, something that won't do what it seems to say."""

    file: Path
    line: int
    """From 1; 0 where it is about the whole file."""
    key: str = ""
    message: str
    expected: str = ""
    nearest: str = ""
    """The known name that comes nearest to what was written."""
    warning: bool = False

    @property
    def place(self) -> str:
        """`file:line`, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else str(self.file)

    def __str__(self) -> str:
        """`file:line: message; expected …; did you mean …?`: the form that editors understand."""
        text = f"{self.place}: {'warning: ' if self.warning else ''}{self.message}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f"; did you mean {self.nearest}?"
        return text

    def to_dict(self) -> dict[str, str | int | bool]:
        """The same for programs."""
        return {
            "file": str(self.file),
            "line": self.line,
            "key": self.key,
            "message": self.message,
            "expected": self.expected,
            "nearest": self.nearest,
            "warning": self.warning,
        }


def nearest_name(written: str, known: Iterable[str]) -> str:
    """The known name that is most like the written one, whatever its case; empty if none is like it."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(written.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""
