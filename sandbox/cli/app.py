"""The entry of `azolla-local`: finds the command in the words, imports that one, runs it, shows its errors.

Nothing that costs time is imported before it is needed; `--help` needs neither Typer nor a command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.cli.command_table import COMMANDS, OWN_CODE_IS_THE_TASKS

if TYPE_CHECKING:
    import typer

PROGRAM = "azolla-local"
FAILED_ITSELF = 125
"""Exit code of `run` and `wait` when they fail themselves, so that it isn't taken for the task's."""
INTERRUPTED = 130
_VALUE_OPTIONS = ("--env", "--url")


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    given = list(sys.argv[1:] if words is None else words)
    completing = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE" in os.environ
    if not completing:
        from sandbox.cli.help_text import answer_quickly

        answer = answer_quickly(given)
        if answer is not None:
            sys.stdout.write(answer)
            return 0
    name = command_word(_words_to_complete() if completing else given)
    try:
        code = _complete(name) if completing else _run(name, given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. The interpreter would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    return code


def command_word(words: Sequence[str]) -> str | None:
    """The first word that is no option of ours, nor its value."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            return next(rest, None)
        if not word.startswith("-") or word == "-":
            return word
        if word in _VALUE_OPTIONS:
            next(rest, None)
    return None


def build(only: str | None = None) -> typer.Typer:
    """The Typer app. With `only`, the other commands are there by name and summary alone; None loads all."""
    import typer

    from sandbox.cli.invocation import shared
    from sandbox.cli.loading import add_command

    app = typer.Typer(
        name=PROGRAM,
        help="A whole task platform on your own machine.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        no_args_is_help=False,
    )
    app.callback()(shared)
    for name, entry in COMMANDS.items():
        add_command(app, name, entry, load=only is None or name == only)
    return app


def _run(name: str | None, words: list[str]) -> int:
    from sandbox.cli import usage
    from sandbox.cli.crash import report_crash
    from sandbox.cli.output import Output
    from sandbox.cli.render_error import is_explained, render_error

    out = Output.for_process(
        json="--json" in words, color=False if "--no-color" in words else None, env=_named_environment(words)
    )
    try:
        return _call(name, words)
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, people get a sentence, and a bug its report
        own = FAILED_ITSELF if name in OWN_CODE_IS_THE_TASKS else None
        explained = error if is_explained(error) else usage.explain(error, name) or report_crash(error, words)
        render_error(explained, out)
        return own or int(explained.exit_code)


def _complete(name: str | None) -> int:
    """Answer the shell. It gets candidates or nothing, never a message in the line that is being typed."""
    import contextlib

    import typer

    command: Any = typer.main.get_command(build(only=name or ""))
    with contextlib.suppress(Exception):  # the reason is in the line above
        command.main(args=[], prog_name=PROGRAM, standalone_mode=False)
    return 0


def _call(name: str | None, words: list[str]) -> int:
    import typer

    from sandbox.cli import usage

    if name is not None and name not in COMMANDS and not name.startswith("-"):
        raise usage.unknown_command(name)
    command: Any = typer.main.get_command(build(only=name or ""))
    result = command.main(args=words, prog_name=PROGRAM, standalone_mode=False)
    return int(result) if isinstance(result, int) else 0


def _named_environment(words: Sequence[str]) -> str:
    """What `--env` names, before or after the command; empty without it."""
    for at, word in enumerate(words):
        if word.startswith("--env="):
            return word.removeprefix("--env=")
        if word == "--env" and at + 1 < len(words):
            return words[at + 1]
    return ""


def _words_to_complete() -> list[str]:
    """What the shell has on its line, as Typer's completion scripts hand it over."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:]
