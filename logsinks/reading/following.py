"""Following a task's log from the first byte wanted to the end of the task, over its retries.

A follower sleeps until a log grows or the task changes. An unfinished line is shown after a moment without more
(prompts, progress dots). An attempt's log is left when it is sealed; when the task has ended and a log isn't sealed
(its shepherd may be gone), it is given up after a few seconds of silence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from logsinks.errors import LogPurged
from logsinks.reading.attempt_log import AttemptLog
from logsinks.reading.filters import line_filter
from logsinks.reading.query import LogLine, LogProgress, LogQuery, LogSource

SILENCE_S = 5.0
PARTIAL_AFTER_S = 0.2
_LONG_S = 3600.0


async def follow_log(progress: LogProgress, query: LogQuery) -> AsyncIterator[LogLine]:
    """Lines as they are written. Ends with the task; may be started before the task is. BadQuery."""
    passes = line_filter(query)
    done: set[int] = set()
    tail = query.tail
    while True:
        # Asked first: a source that comes after the end was told would be missed the other way round.
        over = await progress.ended()
        sources = sorted(await progress.sources(), key=lambda source: source.attempt)
        wanted = [
            source for source in sources if query.attempt in {None, source.attempt} and source.attempt not in done
        ]
        if not wanted:
            if over or (query.attempt is not None and query.attempt in done):
                return
            await progress.changed()
            continue
        source = wanted[0]
        done.add(source.attempt)
        later = len(wanted) > 1
        with contextlib.suppress(LogPurged):  # a retry's log may be there still
            async for line in _follow_one(progress, source, query, None if later else tail):
                if passes(line):
                    yield line
        if not later:
            tail = None


async def _follow_one(
    progress: LogProgress, source: LogSource, query: LogQuery, tail: int | None
) -> AsyncIterator[LogLine]:
    log = AttemptLog(source, query)
    await log.skip()
    if tail is not None:
        passes = line_filter(query)
        kept: deque[LogLine] = deque(maxlen=tail)
        async for line in log.lines():
            if passes(line):
                kept.append(line)
        for line in kept:
            yield line
    while True:
        extent = await log.reader.extent(source.locator)
        if log.position < extent.bytes or extent.sealed:
            # Once more after the seal: a note about a gap may stand at the very end.
            async for line in log.lines():
                yield line
            if extent.sealed:
                break
        elif log.holds and await _silent(log, PARTIAL_AFTER_S):
            for line in log.rest(partial=True):
                yield line
        elif not log.holds and not await progress.ended():
            await _either(progress, log, source)
        elif not log.holds and await _silent(log, SILENCE_S):
            break
    for line in log.rest(partial=False):
        yield line


async def _silent(log: AttemptLog, seconds: float) -> bool:
    """Whether nothing comes for so long."""
    extent = await log.reader.extent(log.source.locator)
    await log.reader.changed(log.source.locator, extent, seconds)
    return await log.reader.extent(log.source.locator) == extent


async def _either(progress: LogProgress, log: AttemptLog, source: LogSource) -> None:
    """Until the log or the task changes."""
    extent = await log.reader.extent(source.locator)
    if extent.bytes > log.position or extent.sealed:
        return
    waits = [
        asyncio.ensure_future(progress.changed()),
        asyncio.ensure_future(log.reader.changed(source.locator, extent, _LONG_S)),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
