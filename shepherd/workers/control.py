"""The connection of a resident worker to its shepherd: attempts in, ends out.

Replies are gathered and sent together while there is more to do, but none is held longer than a moment: the next
attempt may take hours.
"""

from __future__ import annotations

import os
import socket
from threading import Lock
from time import monotonic, time_ns

from shepherd.workers.outcome import failed
from shepherd.workers.pipe import Decoder, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from shepherd.workers.outcome import Outcome
    from shepherd.workers.pipe import Message
    from shepherd.workers.resident_attempt import ResidentAttempt

LONGEST_HOLD_S = 0.001
"""How long a reply may wait for others to go with it."""

_RECEIVE_BYTES = 256 * 1024


class Control:
    """The worker's end of the socket. Any thread may send; one at a time may receive."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._decoder = Decoder()
        self._lock = Lock()
        self._replies: list[bytes] = []
        self._held_since = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self, *, wait: bool) -> list[Message] | None:
        """The messages that came; None, without waiting, if nothing did. The process ends with the connection.

        Without its shepherd a worker has nobody to tell an outcome, and its attempts count as lost.
        """
        try:
            data = self._socket.recv(_RECEIVE_BYTES, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            leave(0)
        if not data:
            leave(0)
        return self._decoder.feed(data)

    def ended(self, attempt: ResidentAttempt, outcome: Outcome) -> None:
        """Tell how an attempt ended, together with others."""
        outcome["t"] = "ended"
        outcome["key"] = attempt.key
        outcome["logged"] = attempt.logged
        outcome["started_ms"] = attempt.started_ms
        outcome["ended_ms"] = time_ns() // 1_000_000
        try:
            frame = encode(outcome)
        except ValueError as error:
            smaller = failed("ResultTooLarge", str(error), retriable=False)
            frame = encode({**outcome, "result_json": "", **smaller})
        with self._lock:
            if not self._replies:
                self._held_since = monotonic()
            self._replies.append(frame)

    def started(self, attempt: ResidentAttempt) -> None:
        """Tell that an attempt runs, now."""
        attempt.told = True
        self.send({"t": "started", "key": attempt.key})

    def heartbeat(self, key: str, note: str) -> None:
        """Pass a heartbeat on, now."""
        self.send({"t": "heartbeat", "key": key, "note": note.encode("utf-8", "replace").decode()})

    def send(self, message: dict[str, Any]) -> None:
        """Send a message behind the replies that wait."""
        frame = encode(message)
        with self._lock:
            self._replies.append(frame)
        self.flush()

    def held_too_long(self) -> bool:
        """Whether a reply has waited as long as it may."""
        return bool(self._replies) and monotonic() - self._held_since > LONGEST_HOLD_S

    def flush(self) -> None:
        """Send the replies that wait. The process ends if the shepherd is gone."""
        if not self._replies:
            return
        with self._lock:
            data = b"".join(self._replies)
            self._replies.clear()
            try:
                self._socket.sendall(data)
            except OSError:
                leave(0)

    def close_in_child(self) -> None:
        """In a fork that a task has made: the connection is the parent's."""
        self._socket.close()


def leave(status: int) -> NoReturn:
    """End the process at once. What threads and exit handlers of tasks would still do has nobody to hear it."""
    os._exit(status)
