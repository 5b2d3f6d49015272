"""The processes of an environment, seen from outside: started, waited for, measured, and none left behind."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sandbox.config.locations import SUPERVISED_VARIABLE, StateFolder
from sandbox.environments.embedded.pid_files import ProcessMark

if TYPE_CHECKING:
    import psutil

_OUR_MODULES = ("shepherd", "logsinks", "sandbox")
_FIRST_LOOK_S = 0.005
_LAST_LOOK_S = 0.1


class Started(NamedTuple):
    """A supervisor on its way."""

    process: subprocess.Popen[bytes]
    changes: int
    """Gets a byte after each change of `environment.json`, and its end with the supervisor's."""
    leash: int | None
    """If this is closed, the supervisor stops the environment."""

    def close(self) -> None:
        """Wait for the supervisor's end, and give back what belongs to it."""
        if self.leash is not None:
            os.close(self.leash)
        self.process.wait()
        os.close(self.changes)


def start_supervisor(folder: StateFolder, *, leashed: bool = False) -> Started:
    """Start the supervisor in a session of its own, so that it outlives the terminal. Raises OSError."""
    changes, notify = os.pipe()
    leash_read, leash_write = os.pipe() if leashed else (None, None)
    passed = [notify] if leash_read is None else [notify, leash_read]
    options = ["--state", str(folder.path), "--notify", str(notify)]
    if leash_read is not None:
        options += ["--leash", str(leash_read)]
    try:
        log = os.open(folder.part_log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sandbox.environments.embedded.supervisor", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,
                start_new_session=True,
                pass_fds=passed,
                env={**os.environ, SUPERVISED_VARIABLE: str(folder.path)},
            )
        finally:
            os.close(log)
    except OSError:
        for descriptor in (changes, leash_write):
            if descriptor is not None:
                os.close(descriptor)
        raise
    finally:
        for descriptor in passed:
            os.close(descriptor)
    return Started(process, changes, leash_write)


def wait_for_end(mark: ProcessMark, timeout_s: float) -> bool:
    """Wait until the process has ended; False if it still runs after that many seconds."""
    descriptor = mark.open()
    if descriptor is not None:
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(max(0.0, timeout_s) * 1000))
        finally:
            os.close(descriptor)
    deadline, look = time.monotonic() + timeout_s, _FIRST_LOOK_S
    while mark.alive():
        if time.monotonic() >= deadline:
            return False
        # Systems without pidfd offer nothing to wait for a process that isn't our child.
        time.sleep(look)
        look = min(2 * look, _LAST_LOOK_S)
    return True


def stop_processes(marks: Iterable[ProcessMark], *, timeout_s: float) -> list[ProcessMark]:
    """SIGTERM to all, SIGKILL to those that remain after that many seconds; gives these."""
    asked = [mark for mark in marks if mark.send(signal.SIGTERM)]
    deadline = time.monotonic() + timeout_s
    killed: list[ProcessMark] = []
    for mark in asked:
        if not wait_for_end(mark, deadline - time.monotonic()):
            mark.send(signal.SIGKILL)
            killed.append(mark)
    for mark in killed:
        wait_for_end(mark, 5.0)
    return killed


def remaining(folder: StateFolder) -> dict[ProcessMark, str]:
    """Every process that belongs to the environment and still runs, with its name.

    These are the processes that were started by its supervisor and by what that started (they carry a variable), those
    whose command line is one of ours and has a path in the state folder, and all that share a session with them.
    """
    import psutil

    me, my_user = os.getpid(), os.getuid()
    ours: dict[int, psutil.Process] = {}
    by_session: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            if process.pid == me or process.uids().real != my_user:
                continue
            by_session.setdefault(os.getsid(process.pid), []).append(process)
            if _is_ours(process, folder):
                ours[process.pid] = process
        except (psutil.Error, OSError):
            continue  # it ended meanwhile, or is none of our business
    for pid in list(ours):
        for process in by_session.get(pid, []):  # only sessions that one of ours has made
            ours[process.pid] = process
    found: dict[ProcessMark, str] = {}
    for process in ours.values():
        mark = ProcessMark.of(process.pid)
        if mark is not None:
            found[mark] = _title(process)
    return found


def memory_of(pid: int, *, with_children: bool = True) -> int | None:
    """Resident bytes of the process and all its descendants; None if it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        total = process.memory_info().rss
        children = process.children(recursive=True) if with_children else []
    except psutil.Error:
        return None
    for child in children:
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue  # it ended meanwhile
    return total


def _is_ours(process: psutil.Process, folder: StateFolder) -> bool:
    import psutil

    state = str(folder.path)
    try:
        if process.environ().get(SUPERVISED_VARIABLE) == state:
            return True
    except psutil.AccessDenied:
        return False
    words = process.cmdline()
    inside = any(word == state or word.startswith(f"{state}/") for word in words[1:])
    return inside and any(_is_our_module(word) for word in words[1:])


def _is_our_module(word: str) -> bool:
    module = word.partition(".")[0]
    return module in _OUR_MODULES or any(f"/{name}/" in word and Path(word).suffix == ".py" for name in _OUR_MODULES)


def _title(process: psutil.Process) -> str:
    import psutil

    try:
        words = process.cmdline()
        module = next((after for word, after in itertools.pairwise(words) if word == "-m"), None)
        return module or process.name()
    except psutil.Error:  # it ended meanwhile
        return ""
