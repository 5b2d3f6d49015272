"""The stdout sink: every line on our own standard output, for log agents that collect it.

Best effort by contract: what the reader of our output doesn't take in time is dropped and counted, and a restart
may repeat what was shipped last. It never waits, because other sinks share its loop.
"""

from __future__ import annotations

import base64
import json
import os
import select
from datetime import UTC, datetime

from logsinks.capture.lines import Line, LineAssembler
from logsinks.contract import Batch, Capabilities, Health, HealthCheck, LogReader, Opened, Trailer
from logsinks.display import safe_text
from logsinks.identity import AttemptIdentity
from logsinks.record import Stream
from logsinks.sink_url import SinkUrl
from logsinks.sinks.stdout.config import StdoutConfig

_AT_ONCE = select.PIPE_BUF
"""What a pipe that is ready takes without a wait."""


class StdoutSink:
    """See the module. JSON: one object a line; plain: `time task-id/attempt stream text`."""

    def __init__(self, config: StdoutConfig, fd: int = 1) -> None:
        self._config = config
        self._fd = fd
        self._lines: dict[tuple[str, int], LineAssembler] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self._cut = False
        self.dropped_lines = 0
        """Lines that nobody took."""

    @classmethod
    def from_url(cls, url: SinkUrl, name: str) -> StdoutSink:  # noqa: ARG003 - other sinks want their name
        """The sink of a `stdout:` URL."""
        return cls(StdoutConfig.from_url(url))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(best_effort=True)

    async def check(self) -> Health:
        try:
            os.fstat(self._fd)
        except OSError as error:
            return Health(
                checks=(HealthCheck("write", ok=False, detail=error.strerror or "", hint="standard output is closed"),)
            )
        return Health(checks=(HealthCheck("write", ok=True),))

    async def open(self, attempt: AttemptIdentity) -> Opened:
        return Opened("stdout:", self._ends.setdefault(attempt.key, 0))

    async def write(self, batch: Batch) -> int:
        identity = batch.attempt
        assembler = self._lines.setdefault(identity.key, LineAssembler())
        known = self._ends.get(identity.key, 0)
        for record in batch.records:
            if record.offset >= known:
                for line in assembler.feed(record):
                    self._put(identity, line)
        self._ends[identity.key] = max(known, batch.end)
        return self._ends[identity.key]

    async def store(self, batch: Batch, trailer: Trailer) -> str:
        await self.write(batch)
        return await self.seal(batch.attempt, trailer)

    async def seal(self, attempt: AttemptIdentity, trailer: Trailer) -> str:  # noqa: ARG002 - the contract's
        assembler = self._lines.pop(attempt.key, None)
        self._ends.pop(attempt.key, None)
        if assembler is not None:
            for line in assembler.flush(partial=False):
                self._put(attempt, line)
        return "stdout:"

    async def sync(self) -> None:
        """Nothing can be promised here."""

    async def delete(self, locator: str) -> None:
        """What was printed stays printed."""

    def reader(self) -> LogReader | None:
        return None

    async def close(self) -> None:
        """The descriptor belongs to the process."""

    def _put(self, identity: AttemptIdentity, line: Line) -> None:
        data = (_as_json if self._config.json else _as_text)(identity, line)
        if self._cut:
            # The last line was cut short; the next one must not be glued to it.
            data = b"\n" + data
        place = 0
        while place < len(data):
            if not self._takes():
                break
            try:
                place += os.write(self._fd, data[place : place + _AT_ONCE])
            except OSError:
                break  # closed, or its disk is full: counted as not taken
        if place == len(data):
            self._cut = False
        else:
            self._cut = self._cut or place > 0
            self.dropped_lines += 1

    def _takes(self) -> bool:
        poll = select.poll()
        try:
            poll.register(self._fd, select.POLLOUT)
            ready = poll.poll(0)
        except OSError:
            return False
        return bool(ready) and bool(ready[0][1] & select.POLLOUT)


def _time(line: Line) -> str:
    return datetime.fromtimestamp(line.time_ns / 1e9, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _as_json(identity: AttemptIdentity, line: Line) -> bytes:
    value: dict[str, object] = {
        "time": _time(line),
        "task_id": identity.task_id,
        "attempt": identity.attempt,
        "task_name": identity.task_name,
        "domain": identity.domain,
        "queue": identity.queue,
        "stream": line.stream.label,
        "offset": line.offset,
    }
    if line.stream is Stream.GAP:
        value["missing_bytes"] = line.record.missing_bytes
    else:
        text = line.data.removesuffix(b"\n")
        try:
            value["text"] = text.decode()
        except UnicodeDecodeError:
            value["base64"] = base64.b64encode(text).decode()
    if line.partial:
        value["partial"] = True
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _as_text(identity: AttemptIdentity, line: Line) -> bytes:
    if line.stream is Stream.GAP:
        text = f"[{line.record.missing_bytes} bytes are missing here]"
    else:
        text = safe_text(line.data.removesuffix(b"\n"), keep_colour=False)
    return f"{_time(line)} {identity.task_id}/{identity.attempt} {line.stream.label} {text}\n".encode()
