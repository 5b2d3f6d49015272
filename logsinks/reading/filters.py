"""Which lines of a log were asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from logsinks.errors import BadQuery
from logsinks.reading.query import LogLine, LogQuery
from logsinks.record import Stream


def line_filter(query: LogQuery) -> Callable[[LogLine], bool]:
    """Whether a line passes the query's conditions, except `tail`. BadQuery for one that makes no sense.

    Notes about gaps pass the conditions on stream and text: what is missing might have matched.
    """
    since, until = _aware(query.since, "since"), _aware(query.until, "until")
    if query.tail is not None and query.tail < 0:
        raise BadQuery("The number of lines can't be negative", subject=f"tail {query.tail}")
    if query.from_offset < 0:
        raise BadQuery("The offset can't be negative", subject=f"from {query.from_offset}")
    pattern: re.Pattern[bytes] | None = None
    if query.grep is not None:
        try:
            re.compile(query.grep)
            pattern = re.compile(query.grep.encode())
        except re.error as error:
            raise BadQuery("The regular expression can't be read", subject=query.grep, why=str(error)) from error

    def passes(line: LogLine) -> bool:
        if since is not None and line.time < since:
            return False
        if until is not None and line.time >= until:
            return False
        if line.stream is Stream.GAP:
            return True
        if query.stream is not None and line.stream is not query.stream:
            return False
        return pattern is None or pattern.search(line.data) is not None

    return passes


def _aware(time: datetime | None, name: str) -> datetime | None:
    if time is not None and time.tzinfo is None:
        raise BadQuery("A time needs a zone", subject=f"{name} {time.isoformat()}", hint="like 2026-03-14T15:09:26Z")
    return time
