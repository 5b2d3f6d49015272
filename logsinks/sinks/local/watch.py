"""Wakes when a file changes: inotify where there is one, else a look ten times a second while somebody waits."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_IN_MODIFY = 0x2
_IN_DELETE_SELF = 0x400
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
LOOK_EVERY_S = 0.1


@functools.cache
def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True)


class FileWatch:
    """A watch on some files, from `with` to its end; a file that isn't there is left out."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._fd = -1

    def __enter__(self) -> Self:
        libc = _libc()
        self._fd = libc.inotify_init1(_FLAGS) if libc is not None else -1
        if libc is not None and self._fd >= 0:
            for path in self._paths:
                libc.inotify_add_watch(self._fd, os.fsencode(path), _IN_MODIFY | _IN_DELETE_SELF)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        """Return at the next change, or after `timeout` seconds."""
        if self._fd < 0:
            # Too many watches of this user, or another system.
            await asyncio.sleep(min(timeout, LOOK_EVERY_S))
            return
        loop = asyncio.get_running_loop()
        happened: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._fd, _resolve, happened)
        try:
            async with asyncio.timeout(timeout):
                await happened
            os.read(self._fd, 65536)
        except TimeoutError:
            return  # nothing changed
        finally:
            loop.remove_reader(self._fd)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
