"""Appends frames to the segments of one unit. For the catcher alone: standard library only, no typing at run time."""

from __future__ import annotations

import os

from logsinks.spool import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAX_PIECES = 1024
"""What one writev takes on Linux."""


class SpoolWriter:
    """The segments of one unit; makes the first one with the first frame. Raises OSError, and is then as before."""

    __slots__ = (
        "_directory",
        "_fd",
        "_now_ns",
        "_segment",
        "_segment_bytes",
        "created",
        "dirty",
        "retired",
        "size",
        "unit",
    )

    def __init__(
        self, directory: str, unit: str, now_ns: Callable[[], int], segment_bytes: int = layout.SEGMENT_BYTES
    ) -> None:
        self._directory = directory
        self._now_ns = now_ns
        self._segment_bytes = segment_bytes
        self._fd = -1
        self._segment = 0
        self.unit = unit
        self.size = 0
        """Bytes of the segment that is open."""
        self.dirty = False
        """Something was written since :meth:`take_dirty`."""
        self.created = False
        """A file was made since :meth:`take_dirty`, so that the folder must be synced too."""
        self.retired: list[int] = []
        """Descriptors of finished segments: to be synced, then closed, by whoever syncs."""

    @property
    def open(self) -> bool:
        """Whether there is a segment that can grow."""
        return self._fd >= 0

    @property
    def full(self) -> bool:
        """Whether the open segment is long enough to begin another."""
        return self.size >= self._segment_bytes

    def append(self, pieces: Sequence[bytes | memoryview]) -> int:
        """Write headers and payloads in their order; the number of bytes."""
        if self._fd < 0:
            self._begin()
        total = 0
        start = self.size
        try:
            for first in range(0, len(pieces), _MAX_PIECES):
                some = pieces[first : first + _MAX_PIECES]
                expected = sum(map(len, some))
                written = os.writev(self._fd, some)
                total += written
                if written < expected:
                    # A short write to a file: the disk is full, or nearly. The next try tells which error it is.
                    total += self._write_all(b"".join(some)[written:])
        except OSError:
            os.ftruncate(self._fd, start)
            raise
        self.size += total
        self.dirty = True
        return total

    def finish(self, flags: int = 0) -> None:
        """Close the open segment: nothing follows in it. With CONTINUED, the unit goes on in another."""
        if self._fd < 0:
            return
        self.append([layout.frame_header(self._now_ns(), layout.CLOSE, flags, 0, b"")])
        self.retired.append(self._fd)
        self._fd = -1
        self.size = 0

    def take_dirty(self) -> tuple[list[int], list[int], bool]:
        """Descriptors to sync, of them (and others) those to close afterwards, and whether to sync the folder."""
        syncing = list(self.retired)
        if self._fd >= 0 and self.dirty:
            syncing.append(self._fd)
        closing, created = self.retired, self.created
        self.retired = []
        self.dirty = self.created = False
        return syncing, closing, created

    def _begin(self) -> None:
        self._segment += 1
        path = f"{self._directory}/{layout.segment_name(self.unit, self._segment)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(path, flags, 0o600)
            self._write_all(layout.HEADER)
        except OSError:
            if self._fd >= 0:
                os.close(self._fd)
                os.unlink(path)  # noqa: PTH108 - pathlib would cost the catcher its fast start
            self._fd = -1
            self._segment -= 1
            raise
        self.size = layout.HEADER_SIZE
        self.created = True

    def _write_all(self, data: bytes) -> int:
        done = 0
        while done < len(data):
            done += os.write(self._fd, data[done:])
        return done
