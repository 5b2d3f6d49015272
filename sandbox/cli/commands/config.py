"""`azolla-local config`: show, check, path."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sandbox.cli.commands.environment_options import ConfigOption, configuration
from sandbox.cli.invocation import Invocation

app = typer.Typer(no_args_is_help=True)


@app.command("show")
def show(
    inv: Invocation,
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Also say where each value comes from.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show every setting that counts here."""
    from sandbox.config.known_keys import known_keys

    found = configuration(config)
    values: dict[str, Any] = found.settings.model_dump(mode="json")
    keys = [*known_keys(), *(("domains", name) for name in found.settings.domains)]
    if inv.json:
        rows: dict[str, Any] = {}
        for path in keys:
            value = values[str(path[0])][str(path[1])]
            shown = {"value": value, "origin": str(found.origin(path))}
            rows[".".join(map(str, path))] = shown if origin else value
        inv.out.json_value(rows)
        return
    for path in keys:
        line = f"{path[0]}.{path[1]} = {_toml(values[str(path[0])][str(path[1])])}"
        if origin:
            line += f"   {inv.out.style(f'# {found.origin(path)}', 'dim')}"
        inv.out.line(inv.out.safe(line) if not origin else line)


@app.command("check")
def check(inv: Invocation, *, config: ConfigOption = None) -> None:
    """Tell every mistake in the configuration, with its line; exits with 2 if there is one."""
    found = configuration(config)
    if inv.json:
        inv.out.json_value({"file": str(found.file) if found.file else None, "problems": []})
    elif not inv.quiet:
        inv.out.line(f"{found.file or 'no azolla.toml, only defaults, variables'}: no mistakes")


@app.command("path")
def path(inv: Invocation, *, config: ConfigOption = None) -> int:
    """Print the path of the configuration file that counts here; exits with 1 if there is none."""
    from pathlib import Path

    from sandbox.config.locations import find_config_file

    file = config.absolute() if config is not None else find_config_file(Path.cwd())
    if inv.json:
        inv.out.json_value({"file": str(file) if file else None})
    elif file is not None:
        inv.out.line(str(file))
    else:
        inv.out.note("there is no azolla.toml here, above, or in the folder for your settings; every default counts")
    return 0 if file is not None else 1


def _toml(value: object) -> str:
    from json import dumps

    return '""' if value is None else dumps(value, ensure_ascii=False)
