"""`azolla-local validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli.invocation import Invocation
from shepherd.definitions.validation import check_paths

PROBLEMS_FOUND = 2


def command(
    inv: Invocation,
    paths: Annotated[
        list[Path], typer.Argument(help="Task files, Python modules, or folders of them.", show_default=False)
    ],
) -> int:
    """Check task files and Python tasks without running them.

    Every problem is a line, FILE:LINE: what is wrong, what was expected, and the nearest known name. Warnings tell
    what may be right on another host, such as a command that isn't there. Exits with 2 if there are problems.
    """
    found = check_paths(paths)
    wrong = sum(not problem.warning for problem in found.problems)
    if inv.json:
        inv.out.json_value({"tasks": list(found.names), "problems": [problem.to_dict() for problem in found.problems]})
        return PROBLEMS_FOUND if wrong else 0
    for problem in found.problems:
        inv.out.line(inv.out.safe(str(problem)))
    warnings = len(found.problems) - wrong
    parts = [_counted(wrong, "problem")] if wrong else [f"{_counted(len(found.names), 'task')} fine"]
    if warnings:
        parts.append(_counted(warnings, "warning"))
    inv.out.note(", ".join(parts) + ("" if wrong or not found.names else ": " + ", ".join(found.names)))
    return PROBLEMS_FOUND if wrong else 0


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
