"""`azolla-local help`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sandbox.cli.command_table import COMMANDS
from sandbox.cli.help_text import SUBJECTS, overview
from sandbox.cli.invocation import Invocation
from sandbox.cli.usage import WrongUsage, did_you_mean, nearest


def command(
    inv: Invocation,
    subject: Annotated[str | None, typer.Argument(metavar="[COMMAND|SUBJECT]", help="What to explain.")] = None,
) -> int | None:
    """Show the help of a command, or of a subject such as exit-codes."""
    if subject is None:
        inv.out.line(overview().rstrip())
        return None
    if subject in SUBJECTS:
        inv.out.line(SUBJECTS[subject]().rstrip())
        return None
    if subject not in COMMANDS:
        known = [*COMMANDS, *SUBJECTS]
        hint = did_you_mean(nearest(subject, known), prefix="azolla-local help ") or "azolla-local --help"
        raise WrongUsage(f"There is no help about {subject!r}", subject=subject, hint=hint)
    from sandbox.cli.app import PROGRAM, build

    parser: Any = typer.main.get_command(build(only=subject))
    return parser.main(args=[subject, "--help"], prog_name=PROGRAM, standalone_mode=False)
