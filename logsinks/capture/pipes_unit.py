"""The pipes of one attempt, into a unit."""

from __future__ import annotations

import os

from logsinks.capture.units import Captured, Key, Unit
from logsinks.spool import layout
from logsinks.spool.writer import SpoolWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_buffer = bytearray(layout.MAX_PAYLOAD)
_view = memoryview(_buffer)


class PipesUnit(Unit):
    """One attempt: its standard output and standard error."""

    __slots__ = ("_captured", "_fds", "err", "out")

    def __init__(
        self,
        writer: SpoolWriter,
        captured: Captured,
        out: int,
        err: int,
        claimed: set[Key],
        now_ns: Callable[[], int],
    ) -> None:
        super().__init__(writer, f"{captured.key[0]} attempt {captured.key[1]}", claimed, now_ns)
        claimed.add(captured.key)
        self._captured = captured
        self.live[captured.tag] = captured
        self.out = out
        self.err = err
        self._fds = {out: layout.OUT, err: layout.ERR}

    @property
    def key(self) -> Key:
        """Whose pipes they are."""
        return self._captured.key

    @property
    def identity(self) -> bytes:
        """The identity, as JSON."""
        return self._captured.identity

    @property
    def fds(self) -> list[int]:
        return list(self._fds)

    def read(self, fd: int, *, dropping: bool) -> bool:
        try:
            size = os.readv(fd, [_view])
        except BlockingIOError:
            return False
        if size == 0:
            self._close(fd)
            return False
        self.taken += size
        stream = self._fds[fd]
        self._output(self._captured, stream, _view[:size], _buffer.count(b"\n", 0, size), dropping=dropping)
        if not self.flush():
            return False
        self.rotate()
        return size == layout.MAX_PAYLOAD

    def _close_all(self) -> None:
        for fd in list(self._fds):
            self._close(fd)

    def _close(self, fd: int) -> None:
        del self._fds[fd]
        self.done_fds.append(fd)
        if not self._fds:
            self._end_attempt(self._captured, 0)
            self.flush()
