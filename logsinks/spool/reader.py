"""Reads segments, while they are written too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from logsinks.errors import SpoolDamaged, SpoolNotFound
from logsinks.spool import layout


class Frame(NamedTuple):
    """A frame with a right checksum."""

    start: int
    """Of the frame, in its segment."""
    time_ns: int
    stream: int
    flags: int
    tag: int
    payload: bytes


class SegmentReader:
    """Goes through one segment from its start, as far as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = layout.HEADER_SIZE
        """Where the next frame starts, in bytes."""
        self.closed = False
        """The close frame was read: nothing follows."""
        self.continued = False
        """And it says that attempts go on in the unit's next segment."""
        self._checked = False
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise SpoolNotFound("A spool file is gone", subject=str(path)) from error

    def read(self, limit: int = 1 << 20) -> list[Frame]:
        """The frames that follow, of about `limit` bytes; empty when nothing whole is there now.

        Raises SpoolDamaged for bytes that no catcher is writing: a wrong checksum before the end of a file.
        """
        if not self._checked and not self._check_header():
            return []
        block = os.pread(self._fd, max(limit, layout.MAX_PAYLOAD + layout.FRAME_SIZE), self.position)
        frames: list[Frame] = []
        place, size = 0, len(block)
        unpack = layout.FRAME.unpack_from
        while place + layout.FRAME_SIZE <= size and not self.closed:
            length, checksum, time_ns, stream, flags, tag = unpack(block, place)
            start = place + layout.FRAME_SIZE
            if start + length > size and length <= layout.MAX_PAYLOAD:
                break
            payload = block[start : start + length]
            if length > layout.MAX_PAYLOAD or not layout.right_checksum(checksum, time_ns, stream, flags, tag, payload):
                if start + length < size and not frames:
                    raise self.damaged(place)
                break  # what was good comes first
            frames.append(Frame(self.position + place, time_ns, stream, flags, tag, payload))
            place = start + length
            if stream == layout.CLOSE:
                self.closed = True
                self.continued = bool(flags & layout.CONTINUED)
        self.position += place
        if not frames and block and self._ends_closed():
            raise self.damaged()
        return frames

    def _ends_closed(self) -> bool:
        """Whether the file ends with a close frame that we couldn't get to."""
        size = os.fstat(self._fd).st_size
        if self.closed or size < self.position + layout.FRAME_SIZE:
            return False
        return layout.close_flags(os.pread(self._fd, layout.FRAME_SIZE, size - layout.FRAME_SIZE)) is not None

    def backlog(self) -> int:
        """Bytes that are written and not yet read."""
        return max(0, os.fstat(self._fd).st_size - self.position)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _check_header(self) -> bool:
        header = os.pread(self._fd, layout.HEADER_SIZE, 0)
        if len(header) < layout.HEADER_SIZE:
            return False
        if header != layout.HEADER:
            raise self.damaged(-self.position)
        self._checked = True
        return True

    def damaged(self, ahead: int = 0) -> SpoolDamaged:
        """The error that tells what stands `ahead` of the position."""
        return SpoolDamaged(
            "A spool file is damaged",
            subject=str(self.path),
            why=f"what stands at byte {self.position + ahead} is no frame",
            hint="look for errors of the disk; the file is kept",
        )


def segments(directory: Path) -> list[str]:
    """The names of all segments, in the order in which their units began."""
    try:
        return sorted(entry.name for entry in os.scandir(directory) if layout.is_segment(entry.name))
    except FileNotFoundError as error:
        raise SpoolNotFound("The spool folder isn't there", subject=str(directory)) from error
