"""Which logs are safely on disk: gathers what ended, has it synced, and tells the clients."""

from __future__ import annotations

import os
import time
from collections import OrderedDict

from logsinks.capture import protocol
from logsinks.capture.syncing import Batch, Syncer
from logsinks.capture.units import Ended, Key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from logsinks.capture.units import Unit

SYNC_EVERY_S = 0.1
"""How long written bytes may wait for a sync when nobody waits for it."""
REMEMBERED = 4096
"""Logs that were sealed lately, for clients that ask again."""
_ROWS = 500


class Sealing:
    """One sync at a time, of everything that was written since the last one."""

    def __init__(self, directory: str, tell: Callable[[dict[str, Any]], None]) -> None:
        self._syncer = Syncer()
        self._folder_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._tell = tell
        self._sealed: OrderedDict[Key, list[Any]] = OrderedDict()
        self._in_flight: list[Ended] = []
        self._unsynced_since: float | None = None

    def fileno(self) -> int:
        """Readable when a sync is done: then call :meth:`synced`."""
        return self._syncer.fileno()

    @property
    def pending(self) -> bool:
        """Whether something is still to be synced, or being synced."""
        return self._syncer.busy or self._unsynced_since is not None

    def written(self) -> None:
        """Something was written to a unit."""
        if self._unsynced_since is None:
            self._unsynced_since = time.monotonic()

    def due_at(self) -> float | None:
        """When the next sync should start; None while one runs, or where there is nothing."""
        if self._unsynced_since is None or self._syncer.busy:
            return None
        return self._unsynced_since + SYNC_EVERY_S

    def turn(self, units: dict[str, Unit], is_over: Callable[[str], bool]) -> None:
        """Start a sync if it is time, or if somebody waits. Units that are over are taken out of `units`."""
        if self._syncer.busy:
            return
        due = self.due_at()
        if any(unit.ended for unit in units.values()) or (due is not None and time.monotonic() >= due):
            self._start(units, is_over)

    def synced(self) -> None:
        """A sync is done."""
        batch = self._syncer.done()
        if batch is not None:
            self._in_flight = []
            self._report(batch.report, protocol.SYNC_FAILED if batch.failed else 0)

    def answer(self, key: Key, units: Iterable[Unit]) -> list[Any] | None:
        """What is known of a log that is captured no more; None while its report is on the way."""
        waiting = [*self._in_flight, *(log for unit in units for log in unit.ended)]
        if any(log.key == key for log in waiting):
            return None
        return self._sealed.get(key, [*key, 0, 0, 0])

    def stop(self) -> None:
        """End the thread."""
        self._syncer.stop()

    def _start(self, units: dict[str, Unit], is_over: Callable[[str], bool]) -> None:
        syncing: list[int] = []
        closing: list[int] = []
        ended: list[Ended] = []
        folder = False
        for name, unit in list(units.items()):
            if not (unit.writer.dirty or unit.writer.retired or unit.ended):
                continue
            some, others, created = unit.writer.take_dirty()
            syncing += some
            closing += others
            folder = folder or created
            if not unit.trouble:
                ended += unit.ended
                unit.ended = []
            if is_over(name):
                units.pop(name, None)
        if folder:
            syncing.append(self._folder_fd)
        self._unsynced_since = None
        if syncing or closing:
            self._in_flight = ended
            self._syncer.submit(Batch(syncing, closing, ended))
        else:
            self._report(ended, 0)

    def _report(self, ended: list[Ended], flags: int) -> None:
        logs: list[list[Any]] = []
        for log in ended:
            row = [*log.key, log.bytes, log.lines, flags | (protocol.INTERRUPTED if log.flags else 0)]
            logs.append(row)
            self._sealed[log.key] = row
            while len(self._sealed) > REMEMBERED:
                self._sealed.popitem(last=False)
        for start in range(0, len(logs), _ROWS):
            self._tell({"t": "sealed", "logs": logs[start : start + _ROWS]})
