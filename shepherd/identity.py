"""Who this shepherd is: a lasting id, and an epoch that grows with each start.

`identity.json` of the state folder::

    {"shepherd_id": "0a1b…-…", "epoch": 7}

It is replaced as a whole (written beside, synced, renamed, folder synced) before the shepherd says a word, so an epoch
is never used twice. `shepherd.lock` beside it is held (flock) while the shepherd lives: one shepherd a folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shepherd.errors import ShepherdError

IDENTITY_FILE = "identity.json"
LOCK_FILE = "shepherd.lock"


class StateInUse(ShepherdError):
    """Another shepherd lives on the same state folder."""

    code = "state.in-use"
    exit_code = 5


class StateUnusable(ShepherdError):
    """The state folder can't be made, read or written, or its identity file is no such file."""

    code = "state.unusable"
    exit_code = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Tells this start of this shepherd from all others."""

    shepherd_id: str
    epoch: int
    """From 1, greater than at every earlier start."""


class StateFolder:
    """The state folder of one shepherd, locked from `open` to `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> Identity:
        """Lock it and take the next epoch. Raises :class:`StateInUse` or :class:`StateUnusable`."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take_lock(self._lock)
            return self._next_identity()
        except OSError as error:
            self.close()
            raise StateUnusable(
                "the state folder can't be used",
                subject=str(self.path),
                why=error.strerror or str(error),
                hint="make it writable for this user, or name another one as `state` in the configuration",
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the lock go."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise StateInUse(
                "another shepherd uses this state folder",
                subject=str(self.path),
                why=f"it is locked by process {owner}" if owner else "it is locked",
                hint="stop that one, or give this one a state folder of its own",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def _next_identity(self) -> Identity:
        file = self.path / IDENTITY_FILE
        try:
            before: Any = json.loads(file.read_bytes())
            shepherd_id, epoch = str(uuid.UUID(before["shepherd_id"])), int(before["epoch"])
        except FileNotFoundError:
            shepherd_id, epoch = str(uuid.uuid4()), 0
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateUnusable(
                "the identity of this shepherd can't be read",
                subject=str(file),
                why=f"it is no identity file: {error}",
                hint="remove it, and the shepherd starts as a new one",
            ) from error
        identity = Identity(shepherd_id=shepherd_id, epoch=epoch + 1)
        _replace(file, json.dumps({"shepherd_id": identity.shepherd_id, "epoch": identity.epoch}) + "\n")
        return identity


def _replace(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    with beside.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
