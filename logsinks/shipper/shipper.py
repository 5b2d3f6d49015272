"""Follows a spool folder and ships to every sink.

All of it runs in a thread of its own, with an event loop of its own: reading files and writing them never holds
up the loop of whoever started it, and a sink's calls need no hop from thread to thread. Woken by `growth`, it
sleeps otherwise; a timer runs only while something waits to be tried again or to be dropped from the spool.

The spool's segments are removed when every sink has what is in them and has synced it. Whenever this process dies,
the next one asks each sink what it holds and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from logsinks.contract import NamedSink
from logsinks.identity import AttemptIdentity
from logsinks.shipper.positions import Positions
from logsinks.shipper.pump import Pump
from logsinks.shipper.retrying import Breaker
from logsinks.shipper.stats import ShipperStats
from logsinks.spool import layout
from logsinks.spool.reader import segments

DROP_EVERY_S = 1.0
"""Finished segments are dropped, and positions written, at most so often."""
_SETTLED_NS = 100_000_000
"""A folder's time stamp tells of a new file only when it is older than its own grain."""

_log = logging.getLogger(__name__)


class Shipper:
    """See the module. Start, `growth` and stop are called from one asyncio loop; `on_opened` is called there too."""

    def __init__(
        self,
        spool_dir: Path,
        sinks: Sequence[NamedSink],
        *,
        on_opened: Callable[[AttemptIdentity, str, str], None],
    ) -> None:
        """`on_opened(identity, sink name, locator)`: where an attempt's log lies; again for live ones after a restart."""
        names = [named.name for named in sinks]
        if len(set(names)) != len(names):
            raise ValueError(f"two sinks have one name: {', '.join(names)}")
        self._folder = spool_dir
        self._sinks = sinks
        self._on_opened = on_opened
        self._told: list[tuple[AttemptIdentity, str, str]] = []
        self._pumps: list[Pump] = []
        self._positions: list[Positions] = []
        self._known: set[str] = set()
        self._damaged = 0
        self._seen_ns = -2
        self._asked = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stopping: asyncio.Future[float] | None = None

    async def start(self) -> None:
        """Begin, with what the spool holds already. SpoolNotFound if there is no such folder."""
        self._owner = asyncio.get_running_loop()
        ready: asyncio.Future[None] = self._owner.create_future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="shipper", daemon=True)
        self._thread.start()
        await ready

    def growth(self) -> None:
        """The spool has grown. Cheap, and may be called as often as one likes, from any thread."""
        if not self._asked and self._loop is not None:
            self._asked = True
            self._loop.call_soon_threadsafe(self._grown)

    async def stop(self, drain: float = 0.0) -> None:
        """Ship what is there for at most `drain` seconds, then end. What isn't shipped stays in the spool."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(_resolve, self._stopping, drain)
        await asyncio.to_thread(self._thread.join)
        self._thread = None

    def stats(self) -> ShipperStats:
        """A snapshot, from any thread."""
        return ShipperStats(
            sinks={pump.name: pump.stats() for pump in self._pumps},
            spool_segments=len(self._known),
            damaged_segments=self._damaged,
        )

    # In the shipper's thread

    def _run(self, ready: asyncio.Future[None]) -> None:
        asyncio.run(self._main(ready))

    async def _main(self, ready: asyncio.Future[None]) -> None:
        assert self._owner is not None
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._stopping = self._loop.create_future()
        folder = self._folder / layout.POSITIONS_NAME
        for named in self._sinks:
            positions = Positions(folder, named.name)
            self._positions.append(positions)
            self._pumps.append(Pump(self._folder, named, positions.load(), Breaker(random.random), self._opened))
        try:
            self._discover()
        except Exception as error:  # noqa: BLE001 - it is raised again, where start() waits
            self._owner.call_soon_threadsafe(ready.set_exception, error)
            return
        tasks = [asyncio.create_task(self._watched(pump)) for pump in self._pumps]
        dropping = asyncio.create_task(self._drop_for_ever())
        self._grown()
        self._owner.call_soon_threadsafe(ready.set_result, None)
        drain = await self._stopping
        if drain > 0:
            self._discover()
            with contextlib.suppress(TimeoutError):  # the rest stays in the spool
                async with asyncio.timeout(drain):
                    await asyncio.gather(*(pump.drain() for pump in self._pumps))
        for task in [*tasks, dropping]:
            task.cancel()
        await asyncio.gather(*tasks, dropping, return_exceptions=True)
        await self._end()

    async def _end(self) -> None:
        await self._drop()
        for pump in self._pumps:
            pump.close()
            try:
                await pump.sink.close()
            except Exception:  # noqa: BLE001 - sinks come from anywhere; the others are still to be closed
                _log.exception("sink %s can't be closed", pump.name)
        self._tell()

    async def _watched(self, pump: Pump) -> None:
        while True:
            try:
                await pump.run()
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001 - as the next line says
                # A bug, of ours. The other sinks go on, and this one tries again where it stood.
                _log.exception("shipping to %s has failed", pump.name)
                await asyncio.sleep(DROP_EVERY_S)

    def _grown(self) -> None:
        self._asked = False
        try:
            self._discover()
        except OSError as error:
            _log.error("the spool can't be read: %s", error)
        for pump in self._pumps:
            pump.grown()
        if self._wake is not None:
            self._wake.set()

    def _discover(self) -> None:
        changed_ns = self._folder.stat().st_mtime_ns if self._folder.exists() else -1
        if changed_ns == self._seen_ns:
            return
        self._seen_ns = changed_ns if time.time_ns() - changed_ns > _SETTLED_NS else -1
        there = segments(self._folder)
        for name in there:
            if name not in self._known:
                self._known.add(name)
                for pump in self._pumps:
                    pump.add_segment(name)

    def _opened(self, identity: AttemptIdentity, sink: str, locator: str) -> None:
        if not self._told and self._loop is not None:
            # One hop to the other loop for all that this turn opens.
            self._loop.call_soon(self._tell)
        self._told.append((identity, sink, locator))

    def _tell(self) -> None:
        told, self._told = self._told, []
        if told and self._owner is not None and not self._owner.is_closed():
            self._owner.call_soon_threadsafe(self._tell_owner, told)

    def _tell_owner(self, told: list[tuple[AttemptIdentity, str, str]]) -> None:
        for identity, sink, locator in told:
            self._on_opened(identity, sink, locator)

    async def _drop_for_ever(self) -> None:
        assert self._wake is not None
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(DROP_EVERY_S)
            await self._drop()

    async def _drop(self) -> None:
        """Remove what every sink has, once it is durable there; write down how far all have come."""
        done = {name for name in self._known if all(name in pump.done_with() for pump in self._pumps)}
        if done:
            try:
                for pump in self._pumps:
                    await pump.sink.sync()
            except Exception as error:  # noqa: BLE001 - sinks come from anywhere; the spool keeps what isn't safe
                _log.warning("a sink can't sync: %s", error)
                if self._wake is not None:
                    self._wake.set()
                return
        damaged = {name for pump in self._pumps for name in pump.damaged}
        for name in done:
            path = self._folder / name
            if name in damaged:
                self._damaged += 1
                path.replace(path.with_suffix(".damaged"))
            else:
                path.unlink(missing_ok=True)
            self._known.discard(name)
            for pump in self._pumps:
                pump.forget(name)
        try:
            for pump, positions in zip(self._pumps, self._positions, strict=True):
                positions.save(pump.positions())
        except OSError as error:
            _log.warning("the positions can't be written: %s", error)


def _resolve(future: asyncio.Future[float], value: float) -> None:
    if not future.done():
        future.set_result(value)
