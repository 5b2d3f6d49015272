"""Small framed messages between the shepherd and a resident worker.

::

    u32 length, little endian | JSON object, UTF-8

Both directions look the same. Frames may be cut and joined by the socket in any way.
"""

from __future__ import annotations

from struct import Struct

from shepherd.workers.lean_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Message = dict[str, Any]

LENGTH = Struct("<I")

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""What a peer may send in one frame; a length above it means that the two have lost step."""


class FramingLost(ValueError):
    """What came is no frame: too long, or no JSON object."""


def encode(message: Message) -> bytes:
    """One message as a frame. ValueError if it is larger than :data:`MAX_FRAME_BYTES`."""
    payload = dumps(message).encode()
    if len(payload) > MAX_FRAME_BYTES:
        raise ValueError(f"a message of {len(payload)} bytes is larger than a frame may be ({MAX_FRAME_BYTES})")
    return LENGTH.pack(len(payload)) + payload


def encode_all(messages: Iterable[Message]) -> bytes:
    """Several messages, to be sent at once."""
    return b"".join(map(encode, messages))


class Decoder:
    """Puts frames together again; one for each direction of each connection."""

    __slots__ = ("_needed", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 0

    @property
    def pending_bytes(self) -> int:
        """How much of an unfinished frame is here."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with this data, in order. Raises :class:`FramingLost`."""
        rest = self._rest
        if rest:
            rest += data
            if len(rest) < self._needed:
                return []
            data = bytes(rest)
            rest.clear()
        messages: list[Message] = []
        at = 0
        end = len(data)
        self._needed = 4
        while end - at >= 4:
            (length,) = LENGTH.unpack_from(data, at)
            if length > MAX_FRAME_BYTES:
                raise FramingLost(f"a frame of {length} bytes was announced; {MAX_FRAME_BYTES} is the most")
            stop = at + 4 + length
            if stop > end:
                self._needed = 4 + length
                break
            messages.append(_message(data[at + 4 : stop]))
            at = stop
        if at < end:
            rest += data[at:]
        return messages


def _message(payload: bytes) -> Message:
    message: Any
    try:
        message = loads(payload.decode())
    except ValueError as error:
        raise FramingLost(f"a frame holds no JSON: {error}") from error
    if not isinstance(message, dict):
        raise FramingLost("a frame holds JSON that is no object")
    return message  # pyright: ignore[reportUnknownVariableType]  # JSON objects have texts as keys
