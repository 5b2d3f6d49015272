"""What starting, stopping and deleting have in common, whatever kind of environment it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox.config.locations import StateFolder
from sandbox.environments.contract import Say
from sandbox.errors import EnvironmentBusy, StoreFull, StoreReadOnly

_FIRST_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.1


def prepare_folder(folder: StateFolder) -> None:
    """Make the state folder, readable by its owner alone, and prove that it can be written.

    Raises StoreReadOnly or StoreFull, before anything was started.
    """
    probe = folder.path / f".probe.{os.getpid()}"
    try:
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.write_bytes(b"can be written")
        probe.unlink()
    except OSError as error:
        raise unwritable(folder.path, error) from error


def unwritable(path: Path, error: OSError) -> StoreReadOnly | StoreFull:
    """The error for a state folder that can't be written."""
    hint = "make the folder writable, or choose another: XDG_STATE_HOME=/a/folder azolla-local up"
    why = (error.strerror or str(error)).lower()
    if error.errno in {28, 122}:  # ENOSPC, EDQUOT
        return StoreFull("no space is left for the state of the environment", subject=str(path), why=why, hint=hint)
    return StoreReadOnly("the state of the environment can't be written", subject=str(path), why=why, hint=hint)


@contextmanager
def command_lock(folder: StateFolder, *, timeout_s: float, say: Say) -> Generator[None]:
    """Hold the environment against other commands that change it.

    Waits for one that works already, and says so. Raises EnvironmentBusy after that many seconds.
    """
    deadline = time.monotonic() + timeout_s
    pause, told = _FIRST_PAUSE_S, False
    while True:
        descriptor = _try_lock(folder)
        if descriptor is not None:
            break
        if not told:
            say("waiting for another command that changes this environment")
            told = True
        if time.monotonic() >= deadline:
            raise EnvironmentBusy(
                "another command works on this environment",
                subject=folder.name,
                why=f"it has held {folder.command_lock} for {timeout_s:.0f} s",
                hint="wait for it, or end it; ps -ef | grep azolla-local shows it",
            )
        # flock can't wait with a time limit; the other command takes seconds, so that this costs nothing that counts.
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(folder: StateFolder) -> int | None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder.command_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(folder.path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The file may have been deleted, with the whole folder, between opening and locking.
        if os.path.samestat(os.fstat(descriptor), folder.command_lock.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass  # someone else has it, or has just deleted it: the caller tries again
    os.close(descriptor)
    return None


def delete(paths: list[Path]) -> int:
    """Delete folders and files; gives the number of bytes that were freed.

    Each is first renamed, so that a half-deleted one is never taken for a whole one. Raises StoreReadOnly.
    """
    freed = 0
    for path in paths:
        if not path.exists():
            continue
        doomed = path.with_name(f".deleted-{os.getpid()}-{path.name}")
        try:
            path.rename(doomed)
            freed += size_of(doomed)
            if doomed.is_dir():
                shutil.rmtree(doomed)
            else:
                doomed.unlink()
        except OSError as error:
            raise unwritable(path, error) from error
    return freed


def size_of(path: Path) -> int:
    """Bytes in a file, or in all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total or (path.stat().st_size if path.is_file() else 0)
