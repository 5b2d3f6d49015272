"""The channel between a warm worker and the catcher: frames of many attempts in one pipe.

::

    ┌ tag u32 ┬ kind u8 ┬ length u32 ┬ payload (length bytes, at most 64 KiB) ┐   little endian, repeated

    kind 0  begin   payload: the attempt's identity as JSON; sent just before its first output, not earlier
    kind 1  out     bytes of its standard output
    kind 2  err     bytes of its standard error
    kind 3  end     payload empty; nothing follows under this tag until it begins again

The worker chooses the tag, unique among its live attempts, and writes a frame under a lock, whole, before the
next. An attempt that prints nothing sends nothing at all. The standard library alone is imported here, because
workers and the catcher import it.

What comes out of a worker may be hostile. A frame that makes no sense by itself (unknown tag, a begin that is no
identity) is dropped and counted; a frame that can't be measured (unknown kind, too long) breaks the channel,
because nothing after it can be told apart. Neither touches any other channel.
"""

from __future__ import annotations

import struct

FRAME = struct.Struct("<IBI")
"""tag, kind, length of the payload."""

BEGIN = 0
OUT = 1
ERR = 2
END = 3

MAX_PAYLOAD = 64 * 1024


def frame(tag: int, kind: int, payload: bytes = b"") -> bytes:
    """One frame; ValueError if the payload is too long for one."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a frame takes {MAX_PAYLOAD} bytes, not {len(payload)}")
    return FRAME.pack(tag, kind, len(payload)) + payload


def output_frames(tag: int, kind: int, data: bytes) -> list[bytes]:
    """Output of any length as frames."""
    return [frame(tag, kind, data[start : start + MAX_PAYLOAD]) for start in range(0, len(data), MAX_PAYLOAD)]


class BrokenChannel(Exception):
    """The bytes can't be measured into frames; the message says why."""


class FrameParser:
    """Bytes as they arrive → frames. Holds at most one incomplete frame."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The frames (tag, kind, payload) that are complete now; BrokenChannel when they can't be told apart."""
        if self._rest:
            data = self._rest + data
        frames: list[tuple[int, int, bytes]] = []
        position = 0
        size = len(data)
        header = FRAME.size
        while position + header <= size:
            tag, kind, length = FRAME.unpack_from(data, position)
            if kind > END:
                raise BrokenChannel(f"a frame of kind {kind}, which doesn't exist")
            if length > MAX_PAYLOAD:
                raise BrokenChannel(f"a frame of {length} bytes, where {MAX_PAYLOAD} is the most")
            end = position + header + length
            if end > size:
                break
            frames.append((tag, kind, data[position + header : end]))
            position = end
        self._rest = data[position:]
        return frames
