"""What an attempt used."""

from __future__ import annotations

import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Of a process and those of its descendants that it waited for. 0: not measured."""

    peak_memory_bytes: int = 0
    """Of the largest single process, not their sum."""
    cpu_us: int = 0

    @classmethod
    def of(cls, used: resource.struct_rusage) -> Usage:
        """From what `wait4` tells (`ru_maxrss` is in KiB on Linux)."""
        return cls(
            peak_memory_bytes=used.ru_maxrss * 1024,
            cpu_us=round((used.ru_utime + used.ru_stime) * 1_000_000),
        )


NOT_MEASURED = Usage()
