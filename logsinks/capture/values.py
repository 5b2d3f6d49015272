"""What a client of the catcher gives and gets."""

from __future__ import annotations

import os
from dataclasses import dataclass

from logsinks.spool import budget


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolQuota:
    """How much may wait for the sinks, in bytes, and what happens then: "hold" (tasks wait) or "cut" (a gap)."""

    total: int = budget.TOTAL_BYTES
    unit: int = budget.UNIT_BYTES
    policy: str = budget.HOLD


@dataclass(frozen=True, slots=True)
class SealedLog:
    """An attempt's output is in the spool, all of it, synced."""

    task_id: str
    attempt: int
    bytes: int
    lines: int
    """Newlines."""
    interrupted: bool = False
    """Its channel ended before it did; there may have been more."""
    synced: bool = True
    """False: the disk refused the sync; a power cut may cost the end."""


@dataclass(frozen=True, slots=True)
class HeldLogs:
    """Logs that wait because the spool is full, with the reason; no names: none waits any more."""

    names: tuple[str, ...]
    why: str


class PipePair:
    """The write ends for a child's standard output and standard error. Close them once the child has them."""

    __slots__ = ("stderr_fd", "stdout_fd")

    def __init__(self, stdout_fd: int, stderr_fd: int) -> None:
        self.stdout_fd = stdout_fd
        self.stderr_fd = stderr_fd

    def close(self) -> None:
        """Close our copies; harmless when repeated. Only then can the catcher see the child's end."""
        for fd in (self.stdout_fd, self.stderr_fd):
            if fd >= 0:
                os.close(fd)
        self.stdout_fd = self.stderr_fd = -1
