"""A piece of output as it was captured: when, from which stream, which bytes.

Records are chunks as they were read, not lines; :mod:`logsinks.capture.lines` makes lines of them. The bytes of
an attempt's records, one after another, are its log; an *offset* is a position in those bytes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Stream(IntEnum):
    """Where bytes came from. The numbers are part of the spool format and of the index of the local sink."""

    OUT = 1
    ERR = 2
    GAP = 4
    """No bytes: a note that some are missing at this place."""

    @property
    def label(self) -> str:
        """The word that people see and type."""
        return self.name.lower()


class Record(NamedTuple):
    """One chunk. For a gap, `data` is empty and the two counts say how much is missing (0: not known)."""

    time_ns: int
    """Nanoseconds since the Unix epoch, when it was read from the task."""
    stream: Stream
    data: bytes
    offset: int
    """Of the first byte, in the attempt's log."""
    missing_bytes: int = 0
    missing_lines: int = 0

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + len(self.data)
