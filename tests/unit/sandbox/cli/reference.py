"""Writes the reference pages that follow from the code: docs/cli.md, docs/exit-codes.md, docs/errors.md.

    python -m tests.unit.sandbox.cli.reference

A test compares them with the code.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import typer

from sandbox import errors
from sandbox.api.faults import grpc_status
from sandbox.api.rest import problems
from sandbox.cli.app import build
from sandbox.cli.command_table import grouped
from sandbox.cli.help_text import EXIT_CODES, OPTIONS, TASK_EXIT_CODES

DOCS = Path(__file__).parents[4] / "docs"
SHARED = {"env", "url", "json_", "no_color", "quiet", "help"}
_NOTE = "<!-- Made from the code by tests/unit/sandbox/cli/reference.py; a test compares them. -->"


def cli_page() -> str:
    group: Any = typer.main.get_command(build())
    lines = ["# The command line", "", _NOTE, ""]
    lines += [
        "`azolla-local COMMAND --help` says the same. Task ids may be shortened to a prefix that only one task has."
    ]
    lines += [
        "Data goes to stdout, everything else to stderr. Tables are drawn on a terminal; elsewhere their cells are"
    ]
    lines += ["separated by tabs. Exit codes: [exit-codes.md](exit-codes.md).", ""]
    lines += ["Options of every command, before or after it:", "", *_table(("option", "meaning"), OPTIONS)]
    lines += ["", "Completion for commands, task names and ids: `azolla-local --install-completion`."]
    for title, commands in grouped().items():
        lines += ["", f"## {title}"]
        for name, _ in commands:
            lines += _command(f"azolla-local {name}", group.commands[name])
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    lines = ["# Exit codes", "", _NOTE, "", "`azolla-local help exit-codes` prints this.", ""]
    lines += [*_table(("code", "meaning"), EXIT_CODES), ""]
    lines += [
        "`run`, and `wait` for one task, exit as the task did:",
        "",
        *_table(("code", "meaning"), TASK_EXIT_CODES),
        "",
    ]
    lines += [
        "`wait` for several tasks: 0 if all succeeded, else 1. `cancel` of several tasks tries all of them and exits"
    ]
    lines += ["with the code of the first that failed. Which error has which code: [errors.md](errors.md)."]
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    lines = ["# Errors", "", _NOTE, ""]
    lines += [
        "Every error has a `code` that never changes its meaning, says what happened (`what`), to what (`subject`),"
    ]
    lines += ["why (`why`), and what to do next (`hint`). The command line shows them as three lines, `--json` as"]
    lines += ['`{"error": {…}}` on stderr; the HTTP API as `application/problem+json`; gRPC as status, message and the']
    lines += [
        "trailing metadata `azolla-code` and `azolla-hint-bin`. How a task ended is never an error: it is its status.",
        "",
    ]
    rows = [
        (f"`{kind.code}`", _meaning(kind), str(problems.status_of(_blank(kind))), grpc_status(_blank(kind)).name,
         str(kind.exit_code))
        for kind in _kinds(errors.SandboxError)
    ]  # fmt: skip
    lines += _table(("code", "meaning", "HTTP", "gRPC", "exit"), rows)
    lines += [
        "",
        "A code that a client doesn't know yet counts as its nearest known branch: `not-found.flow` as `not-found`.",
    ]
    lines += ["`run` and `wait` exit with 125 for all of them: [exit-codes.md](exit-codes.md)."]
    return "\n".join(lines) + "\n"


PAGES = {"cli.md": cli_page, "exit-codes.md": exit_codes_page, "errors.md": errors_page}


def _command(path: str, command: Any) -> list[str]:
    lines = ["", f"### {path}", "", *_prose(command.help or "")]
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            lines += _command(f"{path} {name}", below)
        return lines
    arguments = [(f"`{_metavar(one)}`", _cell(one)) for one in command.params if one.param_type_name == "argument"]
    options = [
        (f"`{_option(one)}`", _cell(one))
        for one in command.params
        if one.param_type_name == "option" and one.name not in SHARED and not one.hidden
    ]
    if arguments:
        lines += ["", *_table(("argument", "meaning"), arguments)]
    if options:
        lines += ["", *_table(("option", "meaning"), options)]
    return lines


def _prose(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        if lines:
            lines.append("")
        if paragraph.startswith("\b"):
            lines += ["```sh", *(line.strip() for line in paragraph.splitlines()[1:]), "```"]
        else:
            lines += [paragraph.strip()]
    return lines


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _option(option: Any) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    if option.secondary_opts:
        names += " / " + ", ".join(option.secondary_opts)
    return names if option.is_flag else f"{names} {option.metavar or option.name.upper()}"


def _cell(parameter: Any) -> str:
    text = parameter.help or ""
    if parameter.default not in (None, False, "", [], True) and not callable(parameter.default):
        text += f" Default: `{parameter.default}`."
    return text.strip()


def _meaning(kind: type[errors.SandboxError]) -> str:
    return re.sub(r"\s+", " ", inspect.getdoc(kind) or "").split("; `")[0].rstrip(".") + "."


def _blank(kind: type[errors.SandboxError]) -> errors.SandboxError:
    error = kind.__new__(kind)
    errors.SandboxError.__init__(error, "")
    return error


def _kinds(root: type[errors.SandboxError]) -> list[type[errors.SandboxError]]:
    """All of them, each branch before its leaves; those of the tree, and the ones only one transport knows."""
    known = root.__module__.startswith("sandbox.errors") or root.__module__ == problems.__name__
    found = [root] if known and root is not errors.SandboxError else []
    return found + [kind for below in root.__subclasses__() for kind in _kinds(below)]


def _table(head: tuple[str, ...], rows: Any) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
