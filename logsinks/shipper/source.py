"""One segment, as one sink reads it: frames → what they mean for attempts."""

from __future__ import annotations

from pathlib import Path

from logsinks.errors import IdentityError, SpoolDamaged
from logsinks.identity import AttemptIdentity
from logsinks.shipper.attempts import Shipping
from logsinks.shipper.positions import Key, Position
from logsinks.spool import layout
from logsinks.spool.reader import Frame, SegmentReader


class Source:
    """A segment that isn't done with."""

    __slots__ = ("before", "begun", "damaged", "name", "reader", "tags", "waiting_frame")

    def __init__(self, folder: Path, name: str, before: Position | None) -> None:
        self.name = name
        self.reader = SegmentReader(folder / name)
        self.before = before
        """What the positions of an earlier shipper say of it."""
        self.tags: dict[int, Shipping | None] = {}
        """The attempts that are open here; None: this sink has the attempt already."""
        self.waiting_frame: list[Frame] = []
        """Read, and to be taken when an older segment has given what comes before."""
        self.damaged = False
        self.begun: set[int] = set()
        """The tags that have begun here."""

    @property
    def finished(self) -> bool:
        """Everything in it was read."""
        return (self.reader.closed and not self.waiting_frame) or self.damaged

    def sealed_before(self, frame: Frame, key: Key) -> bool:
        """Whether an earlier shipper had sealed an attempt that begins here."""
        return self.before is not None and frame.start < self.before.at and key not in self.before.live

    def begins(self) -> set[Key]:
        """The attempts that go on here from the segment before; nothing of it is taken."""
        reader = SegmentReader(self.reader.path)
        found: set[Key] = set()
        try:
            for frame in reader.read():
                if frame.stream == layout.BEGIN and frame.flags & layout.CONTINUED:
                    found.add(AttemptIdentity.from_json(frame.payload[layout.COUNTS.size :]).key)
        except (SpoolDamaged, IdentityError):
            return found  # it is told when this segment is read itself
        finally:
            reader.close()
        return found

    @property
    def at(self) -> int:
        """The byte up to which its frames were taken."""
        return self.waiting_frame[0].start if self.waiting_frame else self.reader.position
