"""What an attempt leaves running: found, ended, and proven gone.

The processes of an attempt are those of its session, and those that left the session but carry its mark in their
environment. The latter are children of the shepherd by then, which adopts orphans (`become_subreaper`); an attempt
that an earlier shepherd started isn't below this one, and every process is looked at.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def become_subreaper() -> bool:
    """Let orphans below this process become its children. False where the kernel has no such thing."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class Remains:
    """The processes of one attempt, or of one warm worker."""

    def __init__(self, session: int, mark: str, *, everywhere: bool = False, prefix: bool = False) -> None:
        """`mark`: `NAME=VALUE` of their environment, or with `prefix` how it begins."""
        self._session = session
        self._mark = b"\0" + mark.encode() + (b"" if prefix else b"\0")
        self._everywhere = everywhere

    @classmethod
    def strays(cls, mark: str) -> Remains:
        """Processes with a variable that begins like this, wherever they are."""
        return cls(-2, mark, everywhere=True, prefix=True)

    def find(self) -> list[int]:
        """Which of them run now. Zombies don't count: they have ended."""
        found = [pid for pid in _every_pid() if _session_of(pid) == self._session]
        for pid in _every_pid() if self._everywhere else _children():
            if pid not in found and pid != os.getpid() and self._mark in _environment(pid):
                found.append(pid)
        return [pid for pid in found if _state(pid) not in "ZX"]

    async def end(self, within_s: float = 2.0) -> str:
        """SIGKILL until none is found. What still runs then as text for people; empty when all are gone."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while pids := self.find():
            await asyncio.gather(*(self._kill(pid, until - loop.time()) for pid in pids))
            if loop.time() >= until:
                return ", ".join(f"process {pid} ({_name(pid)})" for pid in self.find())
        return ""

    async def _kill(self, pid: int, within_s: float) -> None:
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return  # gone since it was found
        try:
            if _session_of(pid) != self._session and self._mark not in _environment(pid):
                return  # gone, and its number belongs to another process now
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            await _readable(pidfd, max(0.01, within_s))
        except (ProcessLookupError, PermissionError):
            return  # gone, or not ours to end: the next look tells which
        finally:
            os.close(pidfd)
        reap(pid)


def reap(pid: int) -> None:
    """Take note of the end of an orphan that became our child; nothing happens if it isn't one."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # its own parent does it


class ZombieSweep:
    """Reaps orphans that ended by themselves.

    Children that somebody here waits for are reaped at once, so a zombie that was there at the sweep before is
    nobody's.
    """

    def __init__(self) -> None:
        self._before: set[int] = set()

    def sweep(self) -> None:
        """To be called now and then, seconds apart."""
        zombies = {pid for pid in _children() if _state(pid) == "Z"}
        for pid in zombies & self._before:
            reap(pid)
        self._before = zombies - self._before


async def _readable(descriptor: int, within_s: float) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), within_s)
    except TimeoutError:
        return  # the caller looks again, and tells
    finally:
        loop.remove_reader(descriptor)


def processes_with_argument(argument: str) -> list[int]:
    """The processes that have exactly this among their arguments, zombies excepted."""
    wanted = argument.encode()
    return [pid for pid in _every_pid() if wanted in _read(pid, "cmdline").split(b"\0")]


def _every_pid() -> Iterator[int]:
    return (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - names are wanted, hundreds of them


def _children() -> list[int]:
    me = os.getpid()
    found: list[int] = []
    try:
        for thread in os.listdir(_PROC / str(me) / "task"):  # noqa: PTH208 - as above
            found += map(int, (_PROC / str(me) / "task" / thread / "children").read_bytes().split())
    except FileNotFoundError:
        # A kernel without that list, or a thread that ended meanwhile.
        found = [pid for pid in _every_pid() if _parent(pid) == me]
    return found


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _environment(pid: int) -> bytes:
    return b"\0" + _read(pid, "environ")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""  # gone, or another user's


def _stat(pid: int) -> list[str]:
    # The name in the second field may hold spaces and brackets; all after the last bracket is regular.
    return _read(pid, "stat").rpartition(b")")[2].decode().split()


def _state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "X"


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0


def _name(pid: int) -> str:
    return _read(pid, "comm").decode(errors="replace").strip()
