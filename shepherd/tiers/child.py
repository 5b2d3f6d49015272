"""Processes that the shepherd starts or adopts: their end is an event of the loop, heard through a pidfd.

Nothing else may wait for these processes, so what they used (`wait4`) is always to be had.
Linux 5.3 and later.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from shepherd.usage import NOT_MEASURED, Usage

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process left. Both None: it wasn't our child, so its parent alone knows."""

    code: int | None = None
    signal: int | None = None
    usage: Usage = NOT_MEASURED

    def __str__(self) -> str:
        if self.signal is not None:
            return f"was ended by signal {self.signal} ({signal_name(self.signal)})"
        if self.code is not None:
            return f"left with status {self.code}"
        return "left"


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; numbers without a name stay numbers."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class Child:
    """One process, in a session of its own, until its end was heard."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None, on_exit: Callable[[Exit], None]) -> None:
        self.pid = pid
        self.alive = True
        self._popen = popen
        self._on_exit = on_exit
        self._pidfd = os.pidfd_open(pid)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pidfd, self._ended)

    @classmethod
    def spawn(
        cls,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        stdout: int,
        stderr: int,
        on_exit: Callable[[Exit], None],
        pass_fds: Sequence[int] = (),
        limit_mem: int | None = None,
        nice: int | None = None,
    ) -> Child:
        """Start a process in `folder`, with no input. Raises OSError if it can't be started."""
        popen = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=dict(environment),
            cwd=folder,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        child = cls(popen.pid, popen, on_exit)
        child._limit(limit_mem, nice)
        return child

    @classmethod
    def adopt(cls, pid: int, on_exit: Callable[[Exit], None]) -> Child:
        """Follow a process that an earlier shepherd started. Raises ProcessLookupError if it is gone."""
        return cls(pid, None, on_exit)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and all of its group; nothing happens if it has ended."""
        if not self.alive:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass  # it ends at this moment: the loop hears of it next
        except PermissionError:
            _log.warning("a process can't be signalled", pid=self.pid, signal=signal_name(number))

    def _limit(self, limit_mem: int | None, nice: int | None) -> None:
        try:
            if limit_mem is not None:
                resource.prlimit(self.pid, resource.RLIMIT_AS, (limit_mem, limit_mem))
            if nice is not None:
                os.setpriority(os.PRIO_PGRP, self.pid, nice)
        except ProcessLookupError:
            pass  # it has ended already: nothing is left to be limited
        except OSError as error:
            _log.warning("a limit can't be set", pid=self.pid, limit_mem=limit_mem, nice=nice, error=str(error))

    def _ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.alive = False
        self._on_exit(self._reap())

    def _reap(self) -> Exit:
        if self._popen is None:
            return Exit()
        try:
            _, status, used = os.wait4(self.pid, 0)
        except ChildProcessError:
            self._popen.returncode = -1
            return Exit()
        code = os.waitstatus_to_exitcode(status)
        self._popen.returncode = code
        usage = Usage.of(used)
        return Exit(signal=-code, usage=usage) if code < 0 else Exit(code=code, usage=usage)
