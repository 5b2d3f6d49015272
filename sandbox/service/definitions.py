"""What tasks can be submitted by name, as the use cases see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionView:
    """A task that can be submitted by name: from which file, and what is wrong with it if anything is."""

    name: str
    source: str
    kind: str
    description: str = ""


class Definitions(Protocol):
    """The task folders, as the orchestrator sees them."""

    def names(self) -> Collection[str]:
        """Every name; files that were saved a moment ago count."""
        ...

    def views(self) -> tuple[list[DefinitionView], list[str]]:
        """The definitions, and one line for each file that can't be read."""
        ...
