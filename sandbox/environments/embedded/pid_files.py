"""Which process is meant: a pid together with when it started, so that a pid in new hands is never signalled.

On Linux the start is told by `/proc/PID/stat` and the boot id; elsewhere by `ps`. Standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

_LINUX = sys.platform == "linux"


class ProcessMark(NamedTuple):
    """A process that can't be taken for another one."""

    pid: int
    start: str
    """Differs between two processes that have had the same pid."""

    @classmethod
    def of(cls, pid: int) -> ProcessMark | None:
        """The mark of a running process; None if there is none, or only a zombie."""
        start = _start(pid)
        return cls(pid, start) if start else None

    @classmethod
    def from_json(cls, value: object) -> ProcessMark | None:
        """What `to_json` made; None if it is anything else."""
        if isinstance(value, list) and len(value) == 2:  # pyright: ignore[reportUnknownArgumentType]  (JSON)
            pid, start = value  # pyright: ignore[reportUnknownVariableType]  (JSON)
            if isinstance(pid, int) and isinstance(start, str):
                return cls(pid, start)
        return None

    def to_json(self) -> list[int | str]:
        return [self.pid, self.start]

    def alive(self) -> bool:
        """Whether that very process still runs. A zombie doesn't."""
        return _start(self.pid) == self.start

    def send(self, number: signal.Signals) -> bool:
        """Signal that very process; False if it is gone. Raises PermissionError if it belongs to someone else."""
        descriptor = self.open()
        if descriptor is None:
            if _has_pidfd() or not self.alive():
                return False
            return _kill(self.pid, number)
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    def open(self) -> int | None:
        """A descriptor that gets readable when the process ends; None if it is gone, or the system has none."""
        if not _has_pidfd():
            return None
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        # Checked after opening: from here on the descriptor stays with the process that was looked at.
        if self.alive():
            return descriptor
        os.close(descriptor)
        return None


def _kill(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


@cache
def _has_pidfd() -> bool:
    """Not everywhere: kernels before 5.3, sandboxes that refuse the call, other systems."""
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _start(pid: int) -> str:
    if pid <= 0:
        return ""
    return _start_linux(pid) if _LINUX else _start_elsewhere(pid)


def _start_linux(pid: int) -> str:
    try:
        # The name in parentheses may hold anything, also spaces and parentheses; it ends at the last ")".
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    state, start = fields[0], fields[19]
    return "" if state in {"Z", "X"} else f"{start}@{_boot_id()}"


def _start_elsewhere(pid: int) -> str:
    answer = subprocess.run(
        ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, start = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
    except OSError:  # not shown in some containers; the start time alone is nearly as good
        return ""
