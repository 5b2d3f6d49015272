"""Which modules the census counts: those of the standard library of this Python, and one that can't be parsed."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BROKEN_NAME = "broken_on_purpose"
BROKEN_SOURCE = '''\
"""Written by the quickstart, which counts it among the modules. It can't be parsed, on purpose: so you see
what a failed task looks like, its retries, its log, and how to ask why.
"""


def half_a_thought(:
    return "the parenthesis above was never"
'''
_NOT_PART = frozenset({"site-packages", "dist-packages", "__pycache__", "test", "tests", "idle_test", "lib-dynload"})
"""Folders of the library that hold other packages, or tests, some of which are broken on purpose themselves."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module by its dotted name, and its file."""

    name: str
    path: Path


def library() -> Path:
    """The folder of the standard library of the Python that runs this."""
    return Path(sysconfig.get_paths()["stdlib"])


def find_modules(folder: Path) -> list[Module]:
    """Every module written in Python below the folder, by name; the tests of the library are left out."""
    return sorted(_walk(folder, ""), key=lambda module: module.name)


def write_broken_module(folder: Path) -> Module:
    """Write the module that can't be parsed."""
    path = folder / f"{BROKEN_NAME}.py"
    path.write_text(BROKEN_SOURCE, encoding="utf-8")
    return Module(BROKEN_NAME, path)


def _walk(folder: Path, package: str) -> Iterator[Module]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name not in _NOT_PART and entry.name.isidentifier():
                yield from _walk(Path(entry.path), f"{package}{entry.name}.")
        elif entry.name == "__init__.py" and package:
            yield Module(package.rstrip("."), Path(entry.path))
        elif entry.name.endswith(".py"):
            yield Module(package + entry.name.removesuffix(".py"), Path(entry.path))
