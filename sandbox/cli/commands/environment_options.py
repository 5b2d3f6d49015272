"""What the commands about environments share: which one is meant, and its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli.invocation import Invocation
from sandbox.config.locations import StateFolder, environment_name, find_config_file

if TYPE_CHECKING:
    from sandbox.config.settings import Settings
    from sandbox.config.sources import Configuration
    from sandbox.environments.embedded.environment import EmbeddedEnvironment

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration file, instead of the one that is found."),
]


def name_of(inv: Invocation) -> str:
    """The checked name of the environment that is meant."""
    return environment_name(inv.env)


def configuration(
    config: Path | None, flags: Mapping[tuple[str | int, ...], tuple[str, object]] | None = None
) -> Configuration:
    """The configuration that counts here. Raises BadConfig with every mistake."""
    from sandbox.config.sources import load

    working = Path.cwd()
    file = (working / config).absolute() if config is not None else find_config_file(working)
    return load(file=file, flags=flags, working_folder=working)


def embedded(
    inv: Invocation, config: Path | None, flags: Mapping[tuple[str | int, ...], tuple[str, object]]
) -> tuple[EmbeddedEnvironment, Settings]:
    """The environment that is meant, with the configuration that it is to have."""
    from sandbox.environments.embedded.environment import EmbeddedEnvironment

    folder = StateFolder.of(name_of(inv))
    found = configuration(config, flags)
    return EmbeddedEnvironment(folder, found), found.settings


def existing(inv: Invocation) -> EmbeddedEnvironment:
    """The environment that is meant, for everything but starting it."""
    from sandbox.environments.embedded.environment import EmbeddedEnvironment

    return EmbeddedEnvironment(StateFolder.of(name_of(inv)))


def show_bytes(count: int | None) -> str:
    """A size for people: `12 MiB`."""
    if count is None:
        return "-"
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def show_age(seconds: float | None) -> str:
    """A time span for people, in its two largest units: `2h 5m`."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2])
