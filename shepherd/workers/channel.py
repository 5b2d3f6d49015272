"""Output of many attempts through one pipe to the log catcher, tagged by attempt.

::

    u32 tag | u8 kind | u32 length, little endian | payload

`begin` carries the identity of the attempt and is sent with its first output; a silent attempt sends nothing.
The other end of this format is `logsinks.capture.channel`, which says the same; workers import no logsinks.
"""

from __future__ import annotations

import os
from struct import Struct
from threading import Lock

HEADER = Struct("<IBI")
BEGIN, STDOUT, STDERR, END = 0, 1, 2, 3

MAX_PAYLOAD = 64 * 1024
"""Bytes in one frame."""

LOG_LOST = 74
"""The status of a worker that left since its log channel broke; EX_IOERR of sysexits.h."""


class Channel:
    """The writing end. Frames of several threads never mix; a full pipe makes the writer wait."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()

    def write(self, tag: int, kind: int, payload: bytes, identity: bytes | None = None) -> None:
        """Send output, after the begin of its attempt if an identity is given."""
        if len(payload) <= MAX_PAYLOAD:
            frames = HEADER.pack(tag, kind, len(payload)) + payload
        else:
            view = memoryview(payload)
            parts = [view[at : at + MAX_PAYLOAD] for at in range(0, len(view), MAX_PAYLOAD)]
            frames = b"".join(HEADER.pack(tag, kind, len(part)) + part for part in parts)
        if identity is not None:
            frames = HEADER.pack(tag, BEGIN, len(identity)) + identity + frames
        self._send(frames)

    def end(self, tag: int) -> None:
        """Nothing more comes of this tag."""
        self._send(HEADER.pack(tag, END, 0))

    def _send(self, frames: bytes) -> None:
        try:
            with self._lock:
                written = os.write(self._descriptor, frames)
                if written < len(frames):
                    view = memoryview(frames)[written:]
                    while view:
                        view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            # Nobody keeps what the tasks print any more: better that they are run again than without a log.
            os._exit(LOG_LOST)
