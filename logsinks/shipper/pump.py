"""One sink's pump: reads the spool in its order, and hands it over until the sink has it.

It holds what one round has read (a megabyte), and what the sink's batch rule lets it gather. While the sink is
busy it waits with that in its hands; nothing else piles up, the spool is the queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from logsinks.contract import NamedSink
from logsinks.errors import IdentityError, SpoolDamaged, SpoolNotFound
from logsinks.identity import AttemptIdentity
from logsinks.record import Record, Stream
from logsinks.shipper.attempts import Shipping
from logsinks.shipper.delivery import Delivery
from logsinks.shipper.positions import Key, Position
from logsinks.shipper.retrying import Breaker
from logsinks.shipper.source import Source
from logsinks.shipper.stats import SinkStats
from logsinks.spool import layout
from logsinks.spool.reader import Frame

ROUND_BYTES = 1 << 20
GATHERED_BYTES = 16 << 20
"""What may be gathered of all attempts together; beyond it, everything goes at once."""

_STREAMS = {layout.OUT: Stream.OUT, layout.ERR: Stream.ERR}
_log = logging.getLogger(__name__)


class Pump:
    """See the module. `on_opened` is told where a log lies, when it is made."""

    def __init__(
        self,
        folder: Path,
        named: NamedSink,
        positions: dict[str, Position],
        breaker: Breaker,
        on_opened: Callable[[AttemptIdentity, str, str], None],
    ) -> None:
        self.name = named.name
        self.sink = named.sink
        self._folder = folder
        self._capabilities = named.sink.capabilities
        self._before = positions
        self._delivery = Delivery(named, breaker, on_opened)
        self._sources: dict[str, Source] = {}
        self._attempts: dict[Key, Shipping] = {}
        self._touched: dict[Key, Shipping] = {}
        """Attempts that have something to hand over."""
        self._done: set[str] = set()
        self._damaged: set[str] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._draining = False
        self._missing = 0

    def add_segment(self, name: str) -> None:
        """A segment that wasn't there before; in order."""
        try:
            self._sources[name] = Source(self._folder, name, self._before.pop(name, None))
        except SpoolNotFound:
            self._done.add(name)

    def grown(self) -> None:
        """There may be more to read."""
        self._idle.clear()
        self._wake.set()

    async def drain(self) -> None:
        """Hand over at once whatever there is, and return when the sink has all of it."""
        self._draining = True
        self.grown()
        await self._idle.wait()

    def done_with(self) -> set[str]:
        """Segments of which the sink has everything (durably after its next `sync`)."""
        return self._done

    def forget(self, name: str) -> None:
        """A segment was removed."""
        self._done.discard(name)

    def positions(self) -> dict[str, Position]:
        """For the next shipper."""
        whole = {name: Position(1 << 62, frozenset()) for name in self._done}
        live = frozenset(self._attempts)
        return whole | {name: Position(source.at, live) for name, source in self._sources.items()}

    @property
    def damaged(self) -> set[str]:
        """Segments that hold what nobody wrote."""
        return self._damaged

    def stats(self) -> SinkStats:
        """A snapshot; may be asked from any thread."""
        return SinkStats(
            state=self._delivery.state,
            shipped_bytes=self._delivery.shipped_bytes,
            sealed_logs=self._delivery.sealed_logs,
            open_logs=len(self._attempts),
            lag_bytes=sum(source.reader.backlog() for source in list(self._sources.values())),
            refused_records=self._delivery.refused_records,
            missing_bytes=self._missing,
            errors=self._delivery.errors,
            last_error=self._delivery.last_error,
        )

    def close(self) -> None:
        """Close the segments."""
        for source in self._sources.values():
            source.reader.close()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while await self._round():  # noqa: ASYNC110 - it works, it doesn't wait
                await asyncio.sleep(0)  # the other pumps have their turn
            due = self._next_due()
            if due is None:
                self._idle.set()
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                await self._deliver_due()
            self._wake.clear()

    async def _round(self) -> bool:
        """Read a piece of every segment, oldest first, and deliver; False when there was nothing."""
        progress = False
        units: set[str] = set()
        for name, source in list(self._sources.items()):
            unit = layout.unit_of(name)
            if unit in units:
                continue  # an older segment of the same unit comes first
            frames = self._read(source)
            if not source.finished:
                units.add(unit)
            if frames:
                progress = self._take(source, frames) or progress
            await self._deliver_due()
        for name, source in list(self._sources.items()):
            if source.finished:
                self._settle(name, source)
        return progress

    def _read(self, source: Source) -> list[Frame]:
        if source.damaged:
            return []
        if source.waiting_frame:
            frames, source.waiting_frame = source.waiting_frame, []
            return frames
        try:
            frames = source.reader.read(ROUND_BYTES)
            if not frames and not source.reader.closed and self._following(source.name):
                raise source.reader.damaged()  # a segment is closed before the next is made
        except SpoolDamaged as error:
            _log.error("%s (%s): %s", error, error.subject, error.hint)
            self._give_up(source)
            return []
        return frames

    def _give_up(self, source: Source) -> None:
        """What stands behind damage can't be told apart. An attempt that doesn't go on in the next segment ends there."""
        source.damaged = True
        self._damaged.add(source.name)
        following = self._sources.get(self._following(source.name))
        going_on = following.begins() if following is not None else set[Key]()
        for key, shipping in self._attempts.items():
            if shipping.unit == layout.unit_of(source.name) and shipping.trailer is None and key not in going_on:
                now_ns = time.time_ns()
                shipping.add(Record(now_ns, Stream.GAP, b"", shipping.end), time.monotonic(), source.name)
                shipping.finish(now_ns, interrupted=True)
                self._touched[key] = shipping

    def _following(self, name: str) -> str:
        """The unit's next segment that we know; empty if there is none."""
        known = (*self._sources, *self._done)
        return min((other for other in known if other > name and layout.same_unit(other, name)), default="")

    def _take(self, source: Source, frames: list[Frame]) -> bool:
        now = time.monotonic()
        for place, frame in enumerate(frames):
            stream = frame.stream
            if stream == layout.BEGIN:
                if not self._begin(source, frame):
                    source.waiting_frame = frames[place:]
                    return place > 0
                continue
            shipping = source.tags.get(frame.tag)
            if stream == layout.END:
                source.tags.pop(frame.tag, None)
            if shipping is None:
                continue
            self._touched[shipping.identity.key] = shipping
            if stream in _STREAMS:
                record = Record(frame.time_ns, _STREAMS[stream], frame.payload, shipping.end)
                shipping.add(record, now, source.name)
            elif stream == layout.GAP:
                size, lines = layout.COUNTS.unpack(frame.payload)
                shipping.add(Record(frame.time_ns, Stream.GAP, b"", shipping.end, size, lines), now, source.name)
                self._missing += size
            elif stream == layout.END:
                shipping.finish(frame.time_ns, interrupted=bool(frame.flags & layout.INTERRUPTED))
        return True

    def _begin(self, source: Source, frame: Frame) -> bool:
        """An attempt begins or goes on; False if what comes before it is still to be read from another segment."""
        base, lines = layout.COUNTS.unpack_from(frame.payload)
        source.begun.add(frame.tag)
        try:
            identity = AttemptIdentity.from_json(frame.payload[layout.COUNTS.size :])
        except IdentityError as error:
            _log.warning("%s: %s", error, source.name)
            source.tags[frame.tag] = None
            return True
        shipping = self._attempts.get(identity.key)
        if shipping is not None and shipping.seen < base and self._older_unread(source):
            return False
        if shipping is None and source.sealed_before(frame, identity.key):
            source.tags[frame.tag] = None
            return True
        if shipping is None:
            shipping = self._attempts[identity.key] = Shipping(identity, self._capabilities.batch, base, lines)
        elif shipping.seen < base:
            # A damaged segment came between.
            shipping.lost(frame.time_ns, base, time.monotonic(), source.name)
            self._touched[identity.key] = shipping
        source.tags[frame.tag] = shipping
        shipping.unit = layout.unit_of(source.name)
        return True

    def _older_unread(self, source: Source) -> bool:
        return any(not other.finished for name, other in self._sources.items() if name < source.name)

    def _settle(self, name: str, source: Source) -> None:
        """A segment was read to its end: so the sink may be done with it."""
        if source.reader.continued and not self._goes_on(source):
            return  # a new catcher would need it, to know what was going on
        if any(name in shipping.segments for shipping in self._attempts.values()):
            return
        source.reader.close()
        del self._sources[name]
        self._done.add(name)

    def _goes_on(self, source: Source) -> bool:
        """Whether the unit's next segment tells of all that goes on from this one."""
        name = self._following(source.name)
        following = self._sources.get(name)
        if following is None:
            return bool(name)
        return following.damaged or following.begun >= source.tags.keys()

    def _next_due(self) -> float | None:
        dues = (shipping.gathered.due_at() for shipping in self._touched.values())
        return min((due for due in dues if due is not None), default=None)

    async def _deliver_due(self) -> None:
        if not self._touched:
            return
        now = time.monotonic()
        everything = (
            self._draining or sum(shipping.gathered.bytes for shipping in self._touched.values()) > GATHERED_BYTES
        )
        due: list[Shipping] = []
        for shipping in self._touched.values():
            at = shipping.gathered.due_at()
            if shipping.trailer is not None or (at is not None and (everything or at <= now)):
                due.append(shipping)
        if self._capabilities.parallel > 1 and len(due) > 1:
            room = asyncio.Semaphore(self._capabilities.parallel)

            async def one(shipping: Shipping) -> None:
                async with room:
                    await self._hand_over(shipping)

            async with asyncio.TaskGroup() as group:
                for shipping in due:
                    group.create_task(one(shipping))
        else:
            for shipping in due:
                await self._hand_over(shipping)
        for shipping in due:
            self._touched.pop(shipping.identity.key, None)

    async def _hand_over(self, shipping: Shipping) -> None:
        if await self._delivery.deliver(shipping):
            self._attempts.pop(shipping.identity.key, None)
        elif not self._capabilities.keeps_spool:
            shipping.segments.clear()
