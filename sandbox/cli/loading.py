"""Turns a line of the command table into a command of Typer, with or without importing it."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import typer

from sandbox.cli.command_table import Entry
from sandbox.cli.invocation import with_shared_options


def add_command(app: typer.Typer, name: str, entry: Entry, *, load: bool) -> None:
    """Add the command; without `load` only its name and summary are there."""
    if not load:
        app.command(name, help=entry.summary)(_not_loaded)
        return
    module: Any = importlib.import_module(f"sandbox.cli.commands.{entry.module}")
    group: typer.Typer | None = getattr(module, "app", None)
    if group is None:
        app.command(name, help=_help(module.command, entry))(with_shared_options(module.command))
        return
    # A Typer of its own: building the app twice must not wrap the functions of the module twice.
    copy = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    for info in group.registered_commands:
        if info.callback is not None:
            copy.command(info.name, help=_help(info.callback, entry))(with_shared_options(info.callback))
    app.add_typer(copy, name=name, help=entry.summary)


def _help(command: Any, entry: Entry) -> str:
    """The docstring; paragraphs that are indented in it keep their lines, by a mark of Click's."""
    text = inspect.getdoc(command) or entry.summary
    paragraphs = [f"\b\n{part}" if part.startswith("    ") else part for part in text.split("\n\n")]
    return "\n\n".join(paragraphs)


def _not_loaded() -> None:
    """Stands for a command that this call doesn't use."""
