"""Finds the catcher of a spool folder, or starts one."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import logsinks
from logsinks.capture.start import command, socket_path

_TRIES = 20
_PAUSE_S = 0.05


async def connect(spool: Path, handshake: Callable[[socket.socket], Awaitable[bool]]) -> socket.socket | None:
    """A socket on which the handshake succeeded; None if no catcher answers and none can be started."""
    for _ in range(_TRIES):
        found = _existing(spool)
        if found is not None and await handshake(found):
            return found
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        started = await asyncio.to_thread(_start, spool, theirs)
        theirs.close()
        if started and await handshake(ours):
            return ours
        ours.close()
        # Another catcher is just starting or ending: it holds the lock, and doesn't answer yet or any more.
        await asyncio.sleep(_PAUSE_S)
    return None


def _existing(spool: Path) -> socket.socket | None:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(spool, os.O_RDONLY | os.O_DIRECTORY)
    try:
        connected.connect(socket_path(str(spool), folder))
    except OSError:
        # No socket, or nobody behind it: then one is started.
        connected.close()
        return None
    finally:
        os.close(folder)
    return connected


def _start(spool: Path, theirs: socket.socket) -> bool:
    package_folder = str(Path(logsinks.__file__).parent.parent)
    fd = theirs.fileno()
    process = subprocess.run(
        command(package_folder, str(spool), fd),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(fd,),
        # Nothing of ours is for it; only what some interpreters need to find their libraries.
        env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        start_new_session=True,
        check=False,
    )
    return process.returncode == 0
