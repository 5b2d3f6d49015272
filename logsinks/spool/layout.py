"""The spool on disk.

::

    spool/
      catcher.sock  catcher.lock  catcher.log     of the process that writes here; the lock is held while it lives
      <unit>-<segment>.spool                      unit: 24 hexadecimal digits, sorted by time; segment: 8 digits
      positions/<sink>.json                       how far each sink has come: a cache, never the truth

    segment = header frame*
    header  = "AZLSPOOL" | version u16 | reserved 6 bytes                                           16 bytes
    frame   = length u32 | crc32 u32 | time_ns u64 | stream u8 | flags u8 | tag u32 | payload       22 bytes + length
              all little endian; the checksum is that of time, stream, flags, tag and payload, begun with the
              length in the place of 0, so that it covers that too

    stream 0  begin   an attempt begins under this tag, or goes on from an earlier segment
                      payload: bytes before this segment u64 | lines before it u64 | identity as JSON
    stream 1  out     bytes as they were read from standard output, at most 256 KiB
    stream 2  err     bytes of standard error
    stream 3  end     the attempt has ended. payload: bytes u64 | lines u64, of the whole attempt
    stream 4  gap     bytes are missing here. payload: bytes u64 | lines u64 (0: not known)
    stream 5  close   nothing follows in this segment. payload empty

    flags     1 interrupted (end): the catcher or the channel ended, there may have been more output
              2 torn (gap): a write was cut by the end of the catcher or a power cut
              4 continued (begin): not the first segment of this attempt; (close): attempts go on in
                the unit's next segment, which begins with them

A *unit* is what is captured together: one attempt (two pipes, tag 1), or one channel (many attempts, the tags of
the worker). Its segments are written one after another; each can be read alone, because it begins every attempt
again that goes on in it. A unit has no file before its first byte of output.

Invariants. Only the catcher that holds the lock writes, and only at the end of a unit's last segment. A segment
that doesn't end with a close frame is the last of its unit, or its catcher died. A reader takes whole frames with
a right checksum, and waits where there is none: what follows is being written now. Recovery, at the start of a
catcher: cut each unclosed segment after its last good frame, note what was torn, end the attempts that nobody
goes on with, close it (in a segment of its own, where the catcher died between two). Segments are removed when every sink has everything in them durably.
"""

from __future__ import annotations

import struct
import zlib

SUFFIX = ".spool"
SOCKET_NAME = "catcher.sock"
LOCK_NAME = "catcher.lock"
LOG_NAME = "catcher.log"
POSITIONS_NAME = "positions"

MAGIC = b"AZLSPOOL"
VERSION = 1
HEADER = MAGIC + struct.pack("<H6x", VERSION)
HEADER_SIZE = len(HEADER)

BEGIN = 0
OUT = 1
ERR = 2
END = 3
GAP = 4
CLOSE = 5

INTERRUPTED = 1
TORN = 2
CONTINUED = 4

FRAME = struct.Struct("<IIQBBI")
"""length, checksum, time, stream, flags, tag."""
FRAME_SIZE = FRAME.size
META = struct.Struct("<QBBI")
COUNTS = struct.Struct("<QQ")

MAX_PAYLOAD = 256 * 1024
SEGMENT_BYTES = 8 * 1024 * 1024
PIPE_TAG = 1


def frame_header(time_ns: int, stream: int, flags: int, tag: int, payload: bytes | memoryview) -> bytes:
    """The 22 bytes that stand before a payload."""
    length = len(payload)
    checksum = zlib.crc32(payload, zlib.crc32(META.pack(time_ns, stream, flags, tag), length))
    return FRAME.pack(length, checksum, time_ns, stream, flags, tag)


def right_checksum(checksum: int, time_ns: int, stream: int, flags: int, tag: int, payload: bytes | memoryview) -> bool:
    """Whether a frame is as it was written."""
    return zlib.crc32(payload, zlib.crc32(META.pack(time_ns, stream, flags, tag), len(payload))) == checksum


def close_flags(frame: bytes) -> int | None:
    """The flags of a close frame; None for 22 bytes that are none."""
    length, checksum, time_ns, stream, flags, tag = FRAME.unpack(frame)
    is_one = length == 0 and stream == CLOSE and right_checksum(checksum, time_ns, stream, flags, tag, b"")
    return flags if is_one else None


def segment_name(unit: str, segment: int) -> str:
    """The file name of a unit's segment; names sort as they were made."""
    return f"{unit}-{segment:08d}{SUFFIX}"


def unit_of(name: str) -> str:
    """The unit that a segment's file name tells."""
    return name[:24]


def same_unit(name: str, other: str) -> bool:
    """Whether two segments are of one unit."""
    return unit_of(name) == unit_of(other)


def segment_number(name: str) -> int:
    """Which segment of its unit a file is."""
    return int(name[25 : 25 + 8])


def is_segment(name: str) -> bool:
    """Whether a file name is one of ours."""
    return name.endswith(SUFFIX) and len(name) == 24 + 1 + 8 + len(SUFFIX)
