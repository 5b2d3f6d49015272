"""How far each sink has come, on disk: a cache that saves questions, never the truth.

For each segment: the byte up to which every attempt that had ended there is sealed in the sink, and the attempts
that had not. After a restart the first are passed over; the others are asked of the sink. Lost or stale positions
cost requests, no byte.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import quote

Key = tuple[str, int]


class Position(NamedTuple):
    """Of one sink in one segment."""

    at: int
    live: frozenset[Key]
    """Attempts that had begun before and were not sealed."""


class Positions:
    """The file of one sink. Written whole and swapped in; not synced, because nothing hangs on it."""

    def __init__(self, folder: Path, sink_name: str) -> None:
        self._path = folder / f"{quote(sink_name, safe='')}.json"

    def load(self) -> dict[str, Position]:
        """By segment; empty where there is no file, or none that can be read."""
        try:
            value: Any = json.loads(self._path.read_bytes())
            return {
                str(name): Position(
                    int(entry["at"]), frozenset((str(task), int(attempt)) for task, attempt in entry["live"])
                )
                for name, entry in cast("dict[str, Any]", value).items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def save(self, positions: Mapping[str, Position]) -> None:
        """Replace the file. OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = {name: {"at": at, "live": sorted(live)} for name, (at, live) in positions.items()}
        beside = self._path.with_suffix(".new")
        with open(beside, "wb") as file:  # noqa: PTH123 - the same, and shorter than a Path's way
            file.write(json.dumps(value, separators=(",", ":")).encode())
        os.replace(beside, self._path)  # noqa: PTH105 - as above
