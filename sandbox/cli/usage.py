"""Mistakes on the command line, in our own words: what is wrong, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import typer

from sandbox.cli.command_table import COMMANDS
from sandbox.errors import InvalidInput, SandboxError

_USAGE_ERROR: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError"
)  # Typer brings its own copy of Click since 0.20, and doesn't export this class


class WrongUsage(InvalidInput):
    """The command line can't be understood."""

    code = "invalid-input.usage"


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The known words that look most like the given one, best first."""
    candidates = list(known)
    bare = {name.lstrip("-"): name for name in candidates}
    close = [bare[name] for name in difflib.get_close_matches(word.lstrip("-"), bare, n=most, cutoff=0.6)]
    starting = [name for name in candidates if word and name.startswith(word) and name not in close]
    return (close + starting)[:most]


def did_you_mean(names: list[str], *, prefix: str = "") -> str:
    """A hint that names the candidates; empty if there are none."""
    return " or ".join(f"{prefix}{name}" for name in names)


def unknown_command(name: str) -> WrongUsage:
    """The first word is no command of ours."""
    aliases = {
        "ps": "ls",
        "list": "ls",
        "start": "up",
        "stop": "down",
        "log": "logs",
        "get": "show",
        "describe": "show",
    }
    candidates = [aliases[name]] if name in aliases else nearest(name, COMMANDS)
    hint = did_you_mean(candidates, prefix="azolla-local ") or "azolla-local --help"
    return WrongUsage(f"There is no command {name!r}", subject=name, hint=hint)


def explain(error: BaseException, command: str | None) -> SandboxError | None:
    """The error of the option parser as one of ours; None if it is not about usage."""
    if isinstance(error, typer.Abort):
        return WrongUsage("Nothing was done: the question was not answered", hint="answer it, or give --yes")
    if not isinstance(error, _USAGE_ERROR):
        return None
    parsed: Any = error
    context = parsed.ctx
    path = context.command_path if context is not None else f"azolla-local {command or ''}".strip()
    option = getattr(parsed, "option_name", None)
    if type(parsed).__name__ == "NoSuchOption" and option:
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        if option[1:2].isdigit():
            return WrongUsage(
                f"There is no option {option}",
                subject=option,
                hint=f"{path} … -- {option}: after -- nothing is an option",
            )
        candidates = nearest(option, [name for name in known if name.startswith("--")])
        hint = did_you_mean(candidates, prefix=f"{path} ") or f"{path} --help"
        return WrongUsage(f"There is no option {option}", subject=option, hint=hint)
    message = str(parsed.format_message()).strip().rstrip(".")
    return WrongUsage(message or "The command line can't be understood", subject=path, hint=f"{path} --help")
