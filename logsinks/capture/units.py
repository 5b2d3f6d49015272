"""What the catcher moves, each into its own unit: what pipes and channels have in common.

A unit reads what its descriptors have, makes frames of it and appends them. It decides nothing about when: that
is the catcher's. Where the disk takes nothing, the frames wait in the unit (at most what one read has brought) and
the unit reads no further until they are written.
"""

from __future__ import annotations

import json

from logsinks.spool import layout
from logsinks.spool.writer import SpoolWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Key = tuple[str, int]

_MAX_ID = 256
_DRAIN_READS = 64
_WORTH_CLOSING = 64 * 1024


class Captured:
    """An attempt whose output goes into a unit now."""

    __slots__ = ("begun", "bytes", "identity", "key", "lines", "lost_bytes", "lost_lines", "tag")

    def __init__(self, key: Key, identity: bytes, tag: int, size: int = 0, lines: int = 0) -> None:
        self.key = key
        self.identity = identity
        self.tag = tag
        self.bytes = size
        self.lines = lines
        self.begun = False
        """Its begin stands in the open segment."""
        self.lost_bytes = 0
        self.lost_lines = 0
        """Dropped for want of room, and not yet noted."""


class Ended:
    """An attempt whose last frame is in the spool, or will be with the next write."""

    __slots__ = ("bytes", "flags", "key", "lines")

    def __init__(self, key: Key, size: int, lines: int, flags: int) -> None:
        self.key = key
        self.bytes = size
        self.lines = lines
        self.flags = flags


class Unit:
    """What both kinds have in common: frames in, segments out."""

    __slots__ = (
        "_carried",
        "_claimed",
        "_now_ns",
        "_pieces",
        "_waiting",
        "appended",
        "done_fds",
        "ended",
        "live",
        "name",
        "taken",
        "trouble",
        "writer",
    )

    def __init__(self, writer: SpoolWriter, name: str, claimed: set[Key], now_ns: Callable[[], int]) -> None:
        self._claimed = claimed
        """The attempts whose output is captured now, by any unit: nobody may write into another's log."""
        self.writer = writer
        self.name = name
        """For people."""
        self.live: dict[int, Captured] = {}
        self.ended: list[Ended] = []
        """Not yet reported; taken by the catcher once nothing waits."""
        self.trouble = ""
        """Why nothing can be written now; empty when it can."""
        self.taken = 0
        """Bytes read from the descriptors."""
        self.appended = 0
        """Bytes written since the catcher last looked."""
        self.done_fds: list[int] = []
        """Descriptors that are no longer read; the catcher closes them, because its selector must forget them first."""
        self._now_ns = now_ns
        self._pieces: list[bytes | memoryview] = []
        self._carried: list[Captured] = []
        """Attempts that begin again in the next segment, so that each segment tells of all that go on."""
        self._waiting = b""

    @property
    def fds(self) -> list[int]:
        """The descriptors that are still read."""
        raise NotImplementedError

    def read(self, fd: int, *, dropping: bool) -> bool:
        """Take what one descriptor has now, at most one buffer; False when it has nothing more at the moment."""
        raise NotImplementedError

    def end(self) -> bool:
        """Take what is still there and end everything; False if the disk takes nothing now: ask again later."""
        for fd in self.fds:
            # What was written before now lies in the pipe, which holds a few buffers at most; a writer that is
            # still there and never stops must not keep us.
            for _ in range(_DRAIN_READS):
                before = self.taken
                if fd not in self.fds or not (self.read(fd, dropping=False) or self.taken > before):
                    break
                if self.trouble:
                    return False
        if self.trouble or self._waiting:
            return False
        self._close_all()
        return not self.trouble

    def _close_all(self) -> None:
        raise NotImplementedError

    @property
    def over(self) -> bool:
        """Nothing can come any more."""
        return not self.fds and not self._waiting

    def flush(self) -> bool:
        """Write what was framed; False (and `trouble`) if it must wait."""
        if not self._pieces and not self._waiting:
            self.trouble = ""
            return True
        pieces = self._pieces
        self._pieces = []
        if self._waiting:
            pieces = [self._waiting, *pieces]
        try:
            self.appended += self.writer.append(pieces)
        except OSError as error:
            self._waiting = b"".join(pieces)
            self.trouble = error.strerror or str(error)
            return False
        self._waiting = b""
        self.trouble = ""
        return True

    def _frame(self, captured: Captured, stream: int, payload: bytes | memoryview, flags: int = 0) -> None:
        if self._carried:
            carried, self._carried = self._carried, []
            for other in carried:
                if other is not captured:
                    self._begin(other)
        if not captured.begun:
            self._begin(captured)
        self._pieces += [layout.frame_header(self._now_ns(), stream, flags, captured.tag, payload), payload]

    def _begin(self, captured: Captured) -> None:
        captured.begun = True
        flags = layout.CONTINUED if captured.bytes else 0
        self._frame(
            captured, layout.BEGIN, layout.COUNTS.pack(captured.bytes, captured.lines) + captured.identity, flags
        )

    def _output(self, captured: Captured, stream: int, data: bytes | memoryview, lines: int, *, dropping: bool) -> None:
        if dropping:
            captured.lost_bytes += len(data)
            captured.lost_lines += lines
            return
        if captured.lost_bytes:
            self._note_lost(captured)
        self._frame(captured, stream, data)
        captured.bytes += len(data)
        captured.lines += lines

    def _note_lost(self, captured: Captured) -> None:
        self._frame(captured, layout.GAP, layout.COUNTS.pack(captured.lost_bytes, captured.lost_lines))
        captured.lost_bytes = captured.lost_lines = 0

    def _end_attempt(self, captured: Captured, flags: int) -> None:
        if captured.lost_bytes:
            self._note_lost(captured)
        if captured.begun or captured.bytes:
            self._frame(captured, layout.END, layout.COUNTS.pack(captured.bytes, captured.lines), flags)
        self.live.pop(captured.tag, None)
        self._claimed.discard(captured.key)
        self.ended.append(Ended(captured.key, captured.bytes, captured.lines, flags))

    def rotate(self) -> None:
        """Go on in a new segment, if the open one is long enough. What lives begins again there."""
        if self.writer.full and not self._waiting:
            self._rotate()

    def make_room(self) -> None:
        """Close the open segment, so that it can leave the spool when the sinks have it; for when the spool is full."""
        if self.writer.size >= _WORTH_CLOSING and not self._waiting and self._rotate() and self._carried:
            carried, self._carried = self._carried, []
            for captured in carried:
                self._begin(captured)
            self.flush()

    def _rotate(self) -> bool:
        carried = [captured for captured in self.live.values() if captured.begun]
        try:
            self.writer.finish(layout.CONTINUED if carried else 0)
        except OSError as error:
            self.trouble = error.strerror or str(error)
            return False
        self._carried = carried
        for captured in carried:
            captured.begun = False
        return True

    def finish(self) -> None:
        """Close the open segment, when all is written. OSError if that can't be written: tried again later."""
        self.writer.finish()


def identity_key(text: bytes) -> Key | None:
    """Which attempt an identity names; None if it can't be one."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    given: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON has text keys
    task_id, attempt = given.get("task_id"), given.get("attempt")
    if not isinstance(task_id, str) or not 0 < len(task_id) <= _MAX_ID:
        return None
    if type(attempt) is not int or not 0 < attempt < 1 << 31:
        return None
    return task_id, attempt
