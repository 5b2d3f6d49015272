"""The keys that there are, read from the settings: for environment variables, nearest keys, and the reference."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sandbox.config.settings import Settings
from sandbox.config.toml_lines import KeyPath


def sections() -> list[str]:
    """The names of the tables of `azolla.toml`."""
    return list(Settings.model_fields)


@cache
def known_keys() -> tuple[KeyPath, ...]:
    """The path of every setting of a section, in the order of the reference. Domains are left out: their names are free."""
    return tuple(path for path, _ in fields())


def fields() -> Iterator[tuple[KeyPath, FieldInfo]]:
    """Every setting of a section, with what is declared about it."""
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, declared in model.model_fields.items():
                yield (section, name), declared
