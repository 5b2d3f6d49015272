"""The log of one attempt, as lines: from where to read, and how records become what people see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

from logsinks.capture.lines import Line, LineAssembler
from logsinks.contract import LogReader
from logsinks.errors import LogReadError
from logsinks.reading.query import LogLine, LogQuery, LogSource
from logsinks.record import Record, Stream
from logsinks.registry import open_sink

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AttemptLog:
    """One source, read on and on; remembers where it stands and which line has begun."""

    def __init__(self, source: LogSource, query: LogQuery) -> None:
        self.source = source
        self._query = query
        self._lines = LineAssembler() if query.whole_lines else None
        self.reader = _reader(source)
        self.position = query.from_offset

    @property
    def holds(self) -> bool:
        """Whether a line has begun that isn't complete."""
        return self._lines is not None and self._lines.holds

    async def skip(self) -> None:
        """Go to where the query's beginning lies, if the sink can tell; what is too early is filtered later."""
        if self._query.since is not None:
            self.position = max(self.position, await self.reader.seek_time(self.source.locator, self._query.since))

    async def lines(self) -> AsyncIterator[LogLine]:
        """What is there now and was not given yet."""
        async for record in self.reader.read(self.source.locator, self.position):
            self.position = record.end
            if self._lines is None:
                yield self._piece(record)
                continue
            for line in self._lines.feed(record):
                yield self._line(line)

    def rest(self, *, partial: bool) -> Iterator[LogLine]:
        """The line that has begun; `partial`: it may go on."""
        if self._lines is not None:
            for line in self._lines.flush(partial=partial):
                yield self._line(line)

    def _line(self, line: Line) -> LogLine:
        data = gap_note(line.record) if line.stream is Stream.GAP else line.data
        return LogLine(self.source.attempt, line.stream, _time(line.time_ns), data, line.offset, line.partial)

    def _piece(self, record: Record) -> LogLine:
        # Between raw bytes a sentence of ours would be a lie; the gap is told by its stream.
        return LogLine(self.source.attempt, record.stream, _time(record.time_ns), record.data, record.offset)


def gap_note(record: Record) -> bytes:
    """What people read where bytes are missing."""
    if not record.missing_bytes:
        return b"[output is missing here; it is not known how much]\n"
    lines = f" ({record.missing_lines} lines)" if record.missing_lines else ""
    return f"[{record.missing_bytes} bytes{lines} of output are missing here]\n".encode()


def _reader(source: LogSource) -> LogReader:
    reader = open_sink(source.sink_url, "reading").reader()
    if reader is None:
        raise LogReadError(
            "This sink can't be read",
            subject=source.locator,
            why="it only passes logs on",
            hint="read from another sink",
        )
    return reader


def _time(time_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_ns // 1000)
