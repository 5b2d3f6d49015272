"""What the catcher before us left: attempts that go on with us, and those that nobody goes on with."""

from __future__ import annotations

import time

from logsinks.capture.units import Captured, Key, identity_key
from logsinks.spool import recovery


class Leftovers:
    """The mended spool, until the first client has said what it still holds."""

    def __init__(self, directory: str) -> None:
        self._recovered = recovery.recover(directory, time.time_ns)
        self._unended = {
            key: unended
            for found in self._recovered
            for unended in found.unended
            if (key := identity_key(unended.identity)) is not None
        }
        self._going_on: set[Key] = set()

    def go_on(self, captured: Captured) -> None:
        """An attempt is captured again: it counts on from what the spool holds of it."""
        before = self._unended.get(captured.key)
        if before is not None:
            captured.bytes, captured.lines = before.bytes, before.lines
            self._going_on.add(captured.key)

    def settle(self) -> bool:
        """End what nobody goes on with, and close the segments; whether there was anything. OSError."""
        settled = bool(self._recovered)
        while self._recovered:
            found = self._recovered[-1]
            tags = {unended.tag for unended in found.unended if identity_key(unended.identity) in self._going_on}
            recovery.settle(found, tags, time.time_ns)
            self._recovered.pop()
        self._unended = {}
        return settled
