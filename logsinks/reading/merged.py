"""One log over all attempts of a task, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from logsinks.errors import LogPurged
from logsinks.reading.attempt_log import AttemptLog
from logsinks.reading.filters import line_filter
from logsinks.reading.following import follow_log
from logsinks.reading.query import LogLine, LogQuery, LogSource

SETTLE_S = 3.0
"""How long the log of a task that has ended is waited for, if its last bytes are still on their way to the sink."""
_ENDED_EVERY_S = 0.5


async def read_log(
    locators: Sequence[LogSource], query: LogQuery, *, ended: Callable[[], Awaitable[bool]] | None = None
) -> AsyncIterator[LogLine]:
    """The lines that the query asks for. BadQuery, LogNotFound, LogPurged (only if no attempt's log is left).

    `ended` tells whether the task has ended: when it has, the end of its log is waited for, a few seconds at most,
    so that nobody who waits for the task and then reads misses the last line. With `query.follow` the logs known
    now are followed until each is complete; to follow attempts that are yet to come, use
    :func:`logsinks.reading.follow_log`.
    """
    passes = line_filter(query)
    sources = sorted(
        (source for source in locators if query.attempt in {None, source.attempt}), key=lambda source: source.attempt
    )
    if query.follow:
        async for line in follow_log(_Known(sources, ended), query):
            yield line
        return
    complete = ended is not None and await ended()
    kept: deque[LogLine] | None = deque(maxlen=query.tail) if query.tail is not None else None
    purged: LogPurged | None = None
    found = False
    for source in _worth_reading(sources, query):
        log = AttemptLog(source, query)
        try:
            async for line in _attempt(log, query, complete=complete):
                found = True
                if not passes(line):
                    continue
                if kept is None:
                    yield line
                else:
                    kept.append(line)
        except LogPurged as error:
            purged = error
    if purged is not None and not found:
        raise purged
    for line in kept or ():
        yield line


async def _attempt(log: AttemptLog, query: LogQuery, *, complete: bool) -> AsyncIterator[LogLine]:
    locator = log.source.locator
    extent = await log.reader.extent(locator)
    if complete and not extent.sealed:
        until = asyncio.get_running_loop().time() + SETTLE_S
        while not extent.sealed and (left := until - asyncio.get_running_loop().time()) > 0:
            await log.reader.changed(locator, extent, left)
            extent = await log.reader.extent(locator)
    await log.skip()
    if query.tail is not None and _tail_is_enough(query):
        log.position = max(log.position, await log.reader.seek_tail(locator, query.tail))
    async for line in log.lines():
        yield line
        if query.until is not None and line.time >= query.until:
            return
    for line in log.rest(partial=not extent.sealed):
        yield line


def _tail_is_enough(query: LogQuery) -> bool:
    """Whether every line passes, so that the last ones can be looked for from the end."""
    return query.stream is None and query.grep is None and query.until is None and query.whole_lines


def _worth_reading(sources: Sequence[LogSource], query: LogQuery) -> Sequence[LogSource]:
    # A tail of nothing needs no file at all.
    return () if query.tail == 0 else sources


class _Known:
    """A task of which only the logs known now are followed."""

    def __init__(self, sources: Sequence[LogSource], ended: Callable[[], Awaitable[bool]] | None) -> None:
        self._sources = sources
        self._ended = ended

    async def sources(self) -> Sequence[LogSource]:
        return self._sources

    async def ended(self) -> bool:
        return self._ended is None or await self._ended()

    async def changed(self) -> None:
        # Whoever gave us a question instead of a signal is asked now and then.
        await asyncio.sleep(_ENDED_EVERY_S)
