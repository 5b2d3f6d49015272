"""Group commit: one group is on its way to the disk while the next one fills.

Nothing of a group is told before it is on disk. When the store refuses one, nobody was told anything of it:
those who wait get the error, and so do those of the next group, whose decisions build on what was refused;
then the state is read from disk anew, and the shepherds connect again and tell what they have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from sandbox.errors import StoreError
from sandbox.scheduler.group import Group
from sandbox.store.contract import EventStore

_log = structlog.stdlib.get_logger("sandbox.scheduler")


class Commits:
    """Takes the groups of the engine to the store, one after another, in the engine's event loop."""

    def __init__(
        self,
        store: EventStore,
        *,
        complete: Callable[[], None],
        tell: Callable[[Group], None],
        start_over: Callable[[], None],
    ) -> None:
        """`complete` adds to `group` right before it goes to the store, `tell` is called when it is on disk.

        `start_over` reads the state anew; StoreError if that fails, then it is asked again with the next group.
        """
        self.group = Group()
        """What is decided now belongs in here; call `soon` afterwards."""
        self._store = store
        self._complete = complete
        self._tell = tell
        self._start_over = start_over
        self._in_flight: Group | None = None
        self._flush_due = False
        self._stale: StoreError | None = None
        """Set while the state can't be read anew after a refused write."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit in that loop. Before anything else is asked."""
        self._loop = loop

    async def drain(self) -> None:
        """Return when everything decided is on disk. StoreError if the store refuses it."""
        while self.group or self._in_flight is not None:
            await self.durable()

    def after(self, then: Callable[[], None]) -> None:
        """Call `then` once everything decided so far is on disk; not at all if the store refuses it."""
        if self.group.events:
            self.group.then.append(then)
        elif self._in_flight is not None:
            self._in_flight.then.append(then)
        else:
            then()

    def durable(self) -> asyncio.Future[None]:
        """Done when everything decided so far is on disk; StoreError if the store refused it."""
        future = self._loop.create_future()
        if not self.group and self._in_flight is not None:
            self._in_flight.waiting.append(future)
        else:
            self.group.waiting.append(future)
            self.soon()
        return future

    def soon(self) -> None:
        """Write the group at the end of this turn of the loop, or when the one before it is on disk."""
        if not self._flush_due and self._in_flight is None:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._in_flight is not None:
            return
        if self._stale is not None:
            self._refused(Group(), self._stale)
            return
        self._complete()
        group = self.group
        if not group and not group.changed:
            return
        self._in_flight, self.group = group, Group()
        if not (group.events or group.changed):
            self._committed(None)
            return
        loop = self._loop

        def done(error: StoreError | None) -> None:
            loop.call_soon_threadsafe(self._committed, error)

        try:
            self._store.write(group.to_write(), done)
        except StoreError as error:
            # Closed, or a value that can't be kept. Not told from here, everybody would wait for ever.
            self._committed(error)

    def _committed(self, error: StoreError | None) -> None:
        group, self._in_flight = self._in_flight, None
        if group is None:
            return
        if error is not None:
            self._refused(group, error)
            return
        try:
            for future in group.waiting:
                if not future.done():
                    future.set_result(None)
            self._tell(group)
        finally:  # a bug on the other side must not leave the next group lying
            if self.group or self.group.changed:
                self.soon()

    def _refused(self, group: Group, error: StoreError) -> None:
        _log.error("the store refused a write; reading the state anew", error=str(error), hint=error.hint)
        self._stale = error
        next_group, self.group = self.group, Group()
        group.fail(error)
        next_group.fail(error)
        try:
            self._start_over()
        except StoreError as still:
            _log.error("the state can't be read; trying again at the next request", error=str(still), hint=still.hint)
            return
        self._stale = None
        self.soon()
