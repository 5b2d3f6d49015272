"""How the catcher and its clients speak: JSON messages over a unix socket, with descriptors beside some.

::

    message = length u32, little endian | JSON object      "n": how many descriptors belong to it

    client → catcher
      hello     version, quota {total, unit, policy} or null
      pipes     unit, task_id, attempt, identity; n=2: the read ends of out and err. Repeated by a client that
                starts a new catcher in the place of a dead one
      ready     everything that this client holds has been sent; what else was going on is over
      channel   unit, name; n=1: the read end
      seal      task_id, attempt: take what is there, end it, sync it
      bye       seal everything, and end when nobody else is connected

    catcher → client
      pipes     unit, task_id, attempt, n=2: for each attempt that is held, at hello
      welcome   version, pid
      growth    the spool has grown
      sealed    logs: [[task_id, attempt, bytes, lines, flags], ...]: they are in the spool, synced
      channel   name, why: a channel has ended
      held      names, why: these wait for room; an empty list: none does any more
      bye       all is sealed

Descriptors arrive with the first byte of their message or before, so they are taken in order. For the standard
library alone: the catcher imports it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

VERSION = 1
MAX_MESSAGE = 1 << 20
MAX_WAITING = 8 << 20
"""A peer that doesn't read so much is given up."""

_LENGTH = struct.Struct("<I")
_MAX_FDS = 64

SYNC_FAILED = 1
INTERRUPTED = 2
"""Flags of a sealed log."""


class PeerGone(Exception):
    """The other side has closed, doesn't read, or speaks nonsense."""


class Peer:
    """One end of the connection. Never blocks: what can't be sent now waits for :meth:`flush`."""

    __slots__ = ("_fds", "_in", "_out", "_waiting", "socket")

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self.socket = connected
        self._in = bytearray()
        self._fds: deque[int] = deque()
        self._out: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._waiting = 0

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._out)

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send, or keep for later; PeerGone when the other side is gone. The descriptors are copied by the kernel."""
        if fds:
            message["n"] = len(fds)
        body = json.dumps(message, separators=(",", ":")).encode()
        # Descriptors that wait are duplicated, so that the caller may close its own at once.
        kept = tuple(os.dup(fd) for fd in fds)
        self._out.append((_LENGTH.pack(len(body)) + body, kept))
        self._waiting += len(body)
        self.flush()
        if self._waiting > MAX_WAITING:
            raise PeerGone("it doesn't read what it is sent")

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._out:
            data, fds = self._out[0]
            try:
                if fds:
                    sent = socket.send_fds(self.socket, [data], list(fds))
                else:
                    sent = self.socket.send(data)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise PeerGone(str(error)) from error
            for fd in fds:
                os.close(fd)
            if sent == len(data):
                self._waiting -= len(data) - _LENGTH.size if len(data) >= _LENGTH.size else 0
                self._out.popleft()
            else:
                self._out[0] = (data[sent:], ())

    def receive(self) -> list[tuple[dict[str, Any], list[int]]]:
        """The messages that have arrived, with their descriptors; PeerGone at the end."""
        try:
            data, fds, _, _ = socket.recv_fds(self.socket, 65536, _MAX_FDS)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            raise PeerGone(str(error)) from error
        for fd in fds:
            os.set_inheritable(fd, False)
        self._fds.extend(fds)
        if not data:
            raise PeerGone("it has closed the connection")
        self._in += data
        return self._messages()

    def close(self) -> None:
        """Close the socket and every descriptor that nobody has taken or sent."""
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        for _, fds in self._out:
            for fd in fds:
                os.close(fd)
        self._out.clear()
        self.socket.close()

    def _messages(self) -> list[tuple[dict[str, Any], list[int]]]:
        messages: list[tuple[dict[str, Any], list[int]]] = []
        while len(self._in) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in)
            if length > MAX_MESSAGE:
                raise PeerGone("it sends what is no message")
            end = _LENGTH.size + length
            if len(self._in) < end:
                break
            try:
                message: Any = json.loads(bytes(self._in[_LENGTH.size : end]))
            except (ValueError, RecursionError) as error:
                raise PeerGone("it sends what is no message") from error
            del self._in[:end]
            if not isinstance(message, dict):
                raise PeerGone("it sends what is no message")
            known: dict[str, Any] = message  # pyright: ignore[reportUnknownVariableType] - JSON has text keys
            count = known.get("n", 0)
            if not isinstance(count, int) or not 0 <= count <= len(self._fds):
                raise PeerGone("it sends fewer descriptors than it says")
            messages.append((known, [self._fds.popleft() for _ in range(count)]))
        return messages
