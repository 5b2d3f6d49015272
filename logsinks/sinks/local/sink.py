"""The local sink: each attempt's log is one file under a name made from a template.

The watermark is the file's size, so nothing need be remembered: bytes are written at their offset, and a repeat
writes the same bytes to the same place. A reader never sees the file shrink. A short log that is there as a whole
costs one open, one write, one time stamp and one close; only what is longer has an index beside it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Sequence

from logsinks.contract import Batch, BatchRule, Capabilities, Health, HealthCheck, Opened, Trailer
from logsinks.errors import Denied, Moved, Refused
from logsinks.identity import AttemptIdentity
from logsinks.record import Record, Stream
from logsinks.sink_url import SinkUrl
from logsinks.sinks.local import index
from logsinks.sinks.local.config import LocalConfig
from logsinks.sinks.local.durability import Unsynced
from logsinks.sinks.local.folders import Folders
from logsinks.sinks.local.live import LiveLog, write_at
from logsinks.sinks.local.reader import LocalReader
from logsinks.sinks.local.rotation import Rotation

_MAX_LIVE = 128
"""Logs that are kept open; an older one is opened again with its next write."""


class LocalSink:
    """See the module. For one event loop; file work is done in it, which the shipper gives a thread of its own."""

    def __init__(self, config: LocalConfig) -> None:
        self.config = config
        self._folders = Folders(config.root)
        self._live: OrderedDict[tuple[str, int], LiveLog] = OrderedDict()
        self._unsynced = Unsynced(config.root)
        self._rotation = Rotation(config.root, config.keep, config.max_bytes, time.time)

    @classmethod
    def from_url(cls, url: SinkUrl, name: str) -> LocalSink:  # noqa: ARG003 - other sinks want their name
        """The sink of a `file:` URL."""
        return cls(LocalConfig.from_url(url))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(live_read=True, ranged_read=True, exact=True, batch=BatchRule())

    async def check(self) -> Health:
        return Health(checks=await asyncio.to_thread(self._try))

    async def open(self, attempt: AttemptIdentity) -> Opened:
        live = self._live.get(attempt.key)
        if live is None:
            live = self._opened(attempt)
        return Opened(self._locator(live.name), live.size)

    async def write(self, batch: Batch) -> int:
        key = batch.attempt.key
        live = self._live.get(key) or self._opened(batch.attempt)
        if live.sealed and batch.end > live.size:
            raise Refused("The log is sealed already", watermark=batch.end, subject=live.name)
        if batch.start > live.size:
            raise Moved("There would be a hole in the log", watermark=live.size, subject=live.name)
        try:
            self._append(live, batch.records)
        except OSError as error:
            # What the file holds now is asked again before the next write.
            self._forget(key)
            raise _translated(error, live.name) from error
        return live.size

    async def store(self, batch: Batch, trailer: Trailer) -> str:
        name = self.config.template.render(batch.attempt)
        if batch.start or batch.attempt.key in self._live:
            return await self._open_write_seal(batch, trailer)
        try:
            fd = self._folders.open_file(f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            # A crash came between; what is there is gone on with.
            return await self._open_write_seal(batch, trailer)
        except OSError as error:
            raise _translated(error, name) from error
        try:
            self._store(fd, name, batch.records, trailer)
        except OSError as error:
            raise _translated(error, name) from error
        finally:
            os.close(fd)
        self._unsynced.add(name)
        return self._locator(name)

    async def seal(self, attempt: AttemptIdentity, trailer: Trailer) -> str:
        live = self._live.get(attempt.key) or self._opened(attempt)
        if not live.sealed:
            os.write(live.index_fd, index.end_entries(trailer))
        self._forget(attempt.key)
        self._unsynced.add(live.name)
        return self._locator(live.name)

    async def sync(self) -> None:
        names = self._unsynced.take()
        live = {log.name for log in self._live.values()}
        try:
            await asyncio.to_thread(self._unsynced.sync, names)
        except OSError as error:
            for name in names:
                self._unsynced.add(name)
            raise _translated(error, str(self.config.root)) from error
        if self._rotation.due():
            await asyncio.to_thread(self._rotation.sweep, live)

    async def delete(self, locator: str) -> None:
        name = LocalReader(self.config.root).name(locator)
        await asyncio.to_thread(self._folders.remove, f"{name}.log")
        await asyncio.to_thread(self._folders.remove, f"{name}.idx")

    def reader(self) -> LocalReader:
        return LocalReader(self.config.root)

    async def close(self) -> None:
        for key in list(self._live):
            self._forget(key)
        self._folders.close()

    async def _open_write_seal(self, batch: Batch, trailer: Trailer) -> str:
        live = self._live.get(batch.attempt.key) or self._opened(batch.attempt)
        try:
            self._append(live, batch.records)
        except OSError as error:
            self._forget(batch.attempt.key)
            raise _translated(error, live.name) from error
        return await self.seal(batch.attempt, trailer)

    def _locator(self, name: str) -> str:
        return f"{self.config.root}/{name}.log"

    def _opened(self, attempt: AttemptIdentity) -> LiveLog:
        name = self.config.template.render(attempt)
        try:
            fd = self._folders.open_file(f"{name}.log", os.O_RDWR | os.O_CREAT)
            try:
                index_fd = self._folders.open_file(f"{name}.idx", os.O_RDWR | os.O_CREAT | os.O_APPEND)
            except OSError:
                os.close(fd)
                raise
            live = LiveLog.resume(name, fd, index_fd)
        except OSError as error:
            raise _translated(error, name) from error
        self._live[attempt.key] = live
        self._unsynced.add(name)
        if len(self._live) > _MAX_LIVE:
            self._forget(next(iter(self._live)))
        return live

    def _forget(self, key: tuple[str, int]) -> None:
        live = self._live.pop(key, None)
        if live is not None:
            live.close()

    def _append(self, live: LiveLog, records: Sequence[Record]) -> None:
        if live.append(records):
            self._unsynced.add(live.name)

    def _store(self, fd: int, name: str, records: Sequence[Record], trailer: Trailer) -> None:
        if not _needs_no_index(records, trailer):
            index_fd = self._folders.open_file(f"{name}.idx", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                entries = index.IndexWriter().entries(records)
                os.write(index_fd, index.HEADER + entries + index.end_entries(trailer))
            finally:
                os.close(index_fd)
        pieces = [record.data for record in records if record.data]
        if len(pieces) > 1:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            write_at(fd, 0, [piece])
        time_ns = records[0].time_ns
        os.utime(fd, ns=(time_ns, time_ns))

    def _try(self) -> tuple[HealthCheck, ...]:
        name = ".check"
        try:
            fd = self._folders.open_file(name, os.O_RDWR | os.O_CREAT)
            os.write(fd, b"check")
            read = os.pread(fd, 5, 0)
            os.close(fd)
            self._folders.remove(name)
        except OSError as error:
            hint = f"make {self.config.root} writable, or choose another folder"
            return (HealthCheck("write", ok=False, detail=error.strerror or str(error), hint=hint),)
        return (HealthCheck("write", ok=True), HealthCheck("read", ok=read == b"check"), HealthCheck("delete", ok=True))


def _needs_no_index(records: Sequence[Record], trailer: Trailer) -> bool:
    first, last = records[0], records[-1]
    return (
        not trailer.interrupted
        and last.time_ns - first.time_ns <= index.WHOLE_NS
        and all(record.stream is Stream.OUT for record in records)
    )


def _translated(error: OSError, name: str) -> Exception:
    """What the shipper should do about an error of the disk: most go away when somebody makes room."""
    if isinstance(error, PermissionError):
        return Denied(
            "A log can't be written",
            subject=name,
            why=error.strerror or "",
            hint="let the shepherd write to that folder",
        )
    return error
