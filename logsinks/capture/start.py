"""Starts the catcher, and is its first function.

The client starts `python -I -S` with this package's folder and a connected socket; no site packages, no user's
environment. The new process forks once more and leaves, so that the catcher belongs to nobody, and is not killed
with the process group or session of whoever started it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys

from logsinks.spool import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LOCKED = 75
"""Exit status: another catcher serves this folder."""
_LONGEST_PATH = 100
_BOOT = "import sys; sys.path.append(sys.argv[1]); from logsinks.capture.start import main; main(sys.argv[2:])"


def command(package_folder: str, spool: str, fd: int) -> Sequence[str]:
    """The command line of a new catcher; `fd` is its first client's socket."""
    return (sys.executable, "-I", "-S", "-c", _BOOT, package_folder, spool, str(fd))


def socket_path(spool: str, folder_fd: int) -> str:
    """Where the socket is, in a form that is short enough for the system; `folder_fd` is the open spool folder."""
    path = f"{spool}/{layout.SOCKET_NAME}"
    return path if len(path.encode()) <= _LONGEST_PATH else f"/proc/self/fd/{folder_fd}/{layout.SOCKET_NAME}"


def main(arguments: Sequence[str]) -> None:
    """Take the lock, leave the parent, listen, serve."""
    spool, fd = arguments[0], int(arguments[1])
    lock = os.open(f"{spool}/{layout.LOCK_NAME}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(LOCKED)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    # For people, and for whoever removes the folder: the catcher takes no notice of SIGTERM.
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Whoever stops the shepherd's processes by signal wants the logs too; the catcher ends by itself.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    log = os.open(f"{spool}/{layout.LOG_NAME}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    listener = _listen(spool)
    from logsinks.capture.catcher import Catcher

    Catcher(spool, listener, socket.socket(fileno=fd)).run()


def _listen(spool: str) -> socket.socket:
    folder = os.open(spool, os.O_RDONLY | os.O_DIRECTORY)
    with contextlib.suppress(FileNotFoundError):  # the first catcher here
        os.unlink(layout.SOCKET_NAME, dir_fd=folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o077)
    listener.bind(socket_path(spool, folder))
    listener.listen(16)
    os.close(folder)
    return listener
