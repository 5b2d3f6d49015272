"""How much the spool may hold, and what happens when it is full.

`hold`: nothing more is read from the tasks until a sink has caught up; they wait in their next write. `cut`:
reading goes on, what doesn't fit is dropped, and a gap record tells how much. Sizes are those of the files, so
what every sink has is no longer counted.
"""

from __future__ import annotations

import os

from logsinks.spool import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HOLD = "hold"
CUT = "cut"

TOTAL_BYTES = 20 << 30
UNIT_BYTES = 1 << 30


class Budget:
    """Keeps count of what the spool holds. The folder is read again only when the count says full."""

    __slots__ = ("_directory", "_monotonic", "_per_unit", "_read_at", "_total", "policy", "total_bytes", "unit_bytes")

    def __init__(self, directory: str, monotonic: Callable[[], float]) -> None:
        self.total_bytes = TOTAL_BYTES
        self.unit_bytes = UNIT_BYTES
        self.policy = HOLD
        self._directory = directory
        self._monotonic = monotonic
        self._per_unit: dict[str, int] = {}
        self._total = 0
        self._read_at = monotonic() - REREAD_S
        self.read()

    def add(self, unit: str, size: int) -> None:
        """So many bytes were appended to a unit."""
        self._per_unit[unit] = self._per_unit.get(unit, 0) + size
        self._total += size

    def full(self, unit: str) -> bool:
        """Whether a unit may not grow now."""
        if self._total < self.total_bytes and self._per_unit.get(unit, 0) < self.unit_bytes:
            return False
        if self._monotonic() - self._read_at >= REREAD_S:
            self.read()
        return self._total >= self.total_bytes or self._per_unit.get(unit, 0) >= self.unit_bytes

    @property
    def all_full(self) -> bool:
        """Whether it is the bound of all that was reached."""
        return self._total >= self.total_bytes

    def why(self, unit: str) -> str:
        """Which bound holds a unit, for people."""
        if self._per_unit.get(unit, 0) >= self.unit_bytes:
            return f"this attempt's or channel's spool is full ({self.unit_bytes} bytes wait for the sinks)"
        return f"the spool is full ({self._total} of {self.total_bytes} bytes wait for the sinks)"

    def read(self) -> None:
        """Count anew what lies in the folder."""
        self._read_at = self._monotonic()
        per_unit: dict[str, int] = {}
        with os.scandir(self._directory) as entries:
            for entry in entries:
                if layout.is_segment(entry.name):
                    try:
                        size = entry.stat(follow_symlinks=False).st_size
                    except FileNotFoundError:
                        continue  # shipped and removed while we looked
                    unit = layout.unit_of(entry.name)
                    per_unit[unit] = per_unit.get(unit, 0) + size
        self._per_unit = per_unit
        self._total = sum(per_unit.values())


REREAD_S = 0.25
"""The folder is read at most so often, and only while something is held."""
