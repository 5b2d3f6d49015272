"""The channel of a warm worker, with the output of many attempts, into a unit."""

from __future__ import annotations

import os

from logsinks.capture import channel
from logsinks.capture.units import Captured, Key, Unit, identity_key
from logsinks.spool import layout
from logsinks.spool.writer import SpoolWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_buffer = bytearray(layout.MAX_PAYLOAD)
_view = memoryview(_buffer)


class ChannelUnit(Unit):
    """A warm worker: frames of many attempts in one pipe."""

    __slots__ = ("_fd", "_parser", "broken", "dropped")

    def __init__(self, writer: SpoolWriter, name: str, fd: int, claimed: set[Key], now_ns: Callable[[], int]) -> None:
        super().__init__(writer, name, claimed, now_ns)
        self._fd = fd
        self._parser = channel.FrameParser()
        self.broken = ""
        """Why the channel was cut; empty when it ended by itself, or goes on."""
        self.dropped = 0
        """Frames that made no sense."""

    @property
    def fds(self) -> list[int]:
        return [self._fd] if self._fd >= 0 else []

    def read(self, fd: int, *, dropping: bool) -> bool:
        try:
            data = bytes(_view[: os.readv(fd, [_view])])
        except BlockingIOError:
            return False
        if not data:
            self._close()
            return False
        self.taken += len(data)
        try:
            frames = self._parser.feed(data)
        except channel.BrokenChannel as error:
            self.broken = str(error)
            self._close()
            return False
        for tag, kind, payload in frames:
            self._take(tag, kind, payload, dropping=dropping)
        if not self.flush():
            return False
        self.rotate()
        return len(data) == layout.MAX_PAYLOAD

    def _close_all(self) -> None:
        if self._fd >= 0:
            self._close()

    def _take(self, tag: int, kind: int, payload: bytes, *, dropping: bool) -> None:
        captured = self.live.get(tag)
        if kind == channel.BEGIN:
            key = identity_key(payload)
            if captured is not None or key is None or key in self._claimed:
                self.dropped += 1
                return
            self._claimed.add(key)
            self.live[tag] = Captured(key, payload, tag)
        elif captured is None:
            self.dropped += 1
        elif kind == channel.END:
            self._end_attempt(captured, 0)
        elif payload:
            self._output(captured, kind, payload, payload.count(b"\n"), dropping=dropping)

    def _close(self) -> None:
        self.done_fds.append(self._fd)
        self._fd = -1
        for captured in list(self.live.values()):
            self._end_attempt(captured, layout.INTERRUPTED)
        self.flush()
