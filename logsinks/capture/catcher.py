"""The catcher: one small process a spool folder, which moves what tasks print from their pipes into the spool.

It outlives whoever started it, holds the read ends of all pipes, and knows nothing of sinks, names or secrets. A
kill -9 of the shepherd costs no byte: the pipes stay here, and the next shepherd connects to the same socket. It
sleeps while nothing is printed, and ends when it has no pipe, no channel and no client.

Started by :mod:`logsinks.capture.start` with the standard library alone (`python -I -S`), so nothing heavy is
imported here.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import time

from logsinks.capture import protocol
from logsinks.capture.channel_unit import ChannelUnit
from logsinks.capture.clients import Clients
from logsinks.capture.leftovers import Leftovers
from logsinks.capture.pipes_unit import PipesUnit
from logsinks.capture.sealing import Sealing
from logsinks.capture.units import Captured, Key, Unit
from logsinks.spool import budget, layout
from logsinks.spool.writer import SpoolWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GROWTH_EVERY_S = 0.02
"""Clients are told of growth at once, and at most so often."""
RETRY_EVERY_S = 0.25
"""What is held is tried again so often; nothing is tried while nothing is held."""
READS_A_TURN = 16
"""Buffers that one descriptor may fill before the others have their turn."""


class Catcher:
    """All state of the process. One thread, one selector; syncs are in another thread."""

    def __init__(self, directory: str, listener: socket.socket, first: socket.socket) -> None:
        self._directory = directory
        self._selector = selectors.DefaultSelector()
        self._budget = budget.Budget(directory, time.monotonic)
        self._clients = Clients(listener, self._selector)
        self._sealing = Sealing(directory, self._clients.tell)
        self._leftovers = Leftovers(directory)
        self._units: dict[str, Unit] = {}
        self._of_fd: dict[int, Unit] = {}
        self._of_key: dict[Key, PipesUnit] = {}
        self._claimed: set[Key] = set()
        self._leaving: list[protocol.Peer] = []
        self._held: dict[str, str] = {}
        self._to_end: set[str] = set()
        self._finishing: dict[str, Unit] = {}
        self._grown = False
        self._told_growth = 0.0
        self._retry_at: float | None = None
        self._selector.register(self._sealing.fileno(), selectors.EVENT_READ)
        self._clients.add(first)

    def run(self) -> None:
        """Serve until there is nothing left to serve."""
        while self._clients or self._busy:
            for selected, events in self._selector.select(self._timeout()):
                unit = self._of_fd.get(selected.fd)
                if unit is not None:
                    self._read(unit, selected.fd)
                elif selected.fd == self._sealing.fileno():
                    self._sealing.synced()
                else:
                    self._serve(selected.fd, events)
            self._after_turn()
        self._settle_leftovers()
        self._sealing.stop()

    @property
    def _busy(self) -> bool:
        return bool(self._of_fd or self._finishing or self._sealing.pending)

    def _timeout(self) -> float | None:
        due = [self._retry_at, self._sealing.due_at(), self._told_growth + GROWTH_EVERY_S if self._grown else None]
        earliest = min((at for at in due if at is not None), default=None)
        return None if earliest is None else max(0.0, earliest - time.monotonic())

    def _after_turn(self) -> None:
        now = time.monotonic()
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._retry()
        for unit in [unit for unit in self._finishing.values() if not unit.trouble]:
            self._finish(unit)
        if self._grown and now >= self._told_growth + GROWTH_EVERY_S:
            self._grown = False
            self._told_growth = now
            self._clients.tell({"t": "growth"})
        self._sealing.turn(self._units, self._is_over)
        if self._leaving and not self._busy:
            for peer in self._leaving:
                self._clients.send(peer, {"t": "bye"})
            self._leaving = []

    def _is_over(self, name: str) -> bool:
        return name not in self._finishing and not self._units[name].fds

    # Moving output

    def _read(self, unit: Unit, fd: int) -> None:
        if unit.writer.unit in self._held:
            return  # it was held after the selector had looked
        full = self._budget.full(unit.writer.unit)
        dropping = full and self._budget.policy == budget.CUT
        if full:
            for other in self._units.values() if self._budget.all_full else (unit,):
                # A segment leaves the spool as a whole, so what is open must be closed for that.
                other.make_room()
                self._account(other)
        if full and not dropping:
            self._hold(unit, self._budget.why(unit.writer.unit))
            return
        for _ in range(READS_A_TURN):
            more = unit.read(fd, dropping=dropping)
            self._account(unit)
            if not more or (self._budget.full(unit.writer.unit) and not dropping):
                break
        if unit.trouble:
            self._hold(unit, f"the spool can't be written: {unit.trouble}")

    def _account(self, unit: Unit) -> None:
        """After a unit may have written or lost descriptors."""
        if unit.appended:
            self._budget.add(unit.writer.unit, unit.appended)
            unit.appended = 0
            self._grown = True
        if unit.writer.dirty or unit.writer.retired:
            self._sealing.written()
        for fd in unit.done_fds:
            # Clients hold copies of the descriptor, so closing ours alone would not take it out of the selector.
            del self._of_fd[fd]
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)
            os.close(fd)
        unit.done_fds.clear()
        if not unit.fds:
            self._finishing[unit.writer.unit] = unit

    def _finish(self, unit: Unit) -> None:
        try:
            unit.finish()
        except OSError as error:
            unit.trouble = error.strerror or str(error)
            self._hold(unit, f"the spool can't be written: {unit.trouble}")
            return
        self._finishing.pop(unit.writer.unit, None)
        self._release(unit)
        self._to_end.discard(unit.writer.unit)
        if unit.writer.retired:
            self._sealing.written()
        if isinstance(unit, PipesUnit):
            self._of_key.pop(unit.key, None)
        elif isinstance(unit, ChannelUnit):
            self._clients.tell({"t": "channel", "name": unit.name, "why": unit.broken, "dropped": unit.dropped})
        if not (unit.writer.retired or unit.ended):
            self._units.pop(unit.writer.unit, None)

    def _hold(self, unit: Unit, why: str) -> None:
        for fd in unit.fds:
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)
        self._retry_at = self._retry_at or time.monotonic() + RETRY_EVERY_S
        if unit.writer.unit not in self._held:
            self._held[unit.writer.unit] = why
            self._tell_held()

    def _release(self, unit: Unit) -> None:
        if self._held.pop(unit.writer.unit, None) is None:
            return
        for fd in unit.fds:
            self._selector.register(fd, selectors.EVENT_READ)
        self._tell_held()

    def _tell_held(self) -> None:
        names = [self._units[name].name for name in self._held if name in self._units]
        self._clients.tell({"t": "held", "names": names, "why": next(iter(self._held.values()), "")})

    def _retry(self) -> None:
        for name in list(self._held):
            unit = self._units[name]
            full = self._budget.full(name) and self._budget.policy == budget.HOLD and name not in self._to_end
            if full or not unit.flush():
                self._retry_at = time.monotonic() + RETRY_EVERY_S
                continue
            if name in self._to_end:
                self._end(unit)
            self._account(unit)
            if not unit.trouble:
                self._release(unit)

    # Sealing

    def _end(self, unit: Unit) -> None:
        if unit.end():
            self._account(unit)
        else:
            self._to_end.add(unit.writer.unit)
            self._account(unit)
            self._hold(unit, f"the spool can't be written: {unit.trouble}")

    # Requests

    def _serve(self, fd: int, events: int) -> None:
        for peer, message, fds in self._clients.serve(fd, events):
            try:
                self._answer(peer, message, fds)
            except (KeyError, TypeError, ValueError):
                # Another version, or no client of ours at all.
                self._clients.drop(peer)

    def _answer(self, peer: protocol.Peer, message: dict[str, Any], fds: list[int]) -> None:
        kind = message.get("t")
        if kind == "hello":
            self._hello(peer, message)
        elif kind == "pipes" and len(fds) == 2:
            self._open_pipes(message, fds)
            fds = []
        elif kind == "channel" and len(fds) == 1:
            writer = self._writer(message)
            self._add(ChannelUnit(writer, str(message["name"]), fds[0], self._claimed, time.time_ns))
            fds = []
        elif kind == "ready":
            self._settle_leftovers()
        elif kind == "seal":
            self._seal(peer, (str(message["task_id"]), int(message["attempt"])))
        elif kind == "bye":
            for unit in list(self._units.values()):
                if unit.fds:
                    self._end(unit)
            self._leaving.append(peer)
        for fd in fds:
            os.close(fd)

    def _hello(self, peer: protocol.Peer, message: dict[str, Any]) -> None:
        quota = message.get("quota")
        if quota:
            self._budget.total_bytes = int(quota["total"])
            self._budget.unit_bytes = int(quota["unit"])
            self._budget.policy = str(quota["policy"])
        for key, unit in self._of_key.items():
            if len(unit.fds) == 2:
                about = {"t": "pipes", "unit": unit.writer.unit, "task_id": key[0], "attempt": key[1]}
                self._clients.send(peer, {**about, "identity": unit.identity.decode()}, [unit.out, unit.err])
        self._clients.send(peer, {"t": "welcome", "version": protocol.VERSION, "pid": os.getpid()})

    def _open_pipes(self, message: dict[str, Any], fds: list[int]) -> None:
        key = (str(message["task_id"]), int(message["attempt"]))
        if key in self._of_key:
            for fd in fds:
                os.close(fd)
            return
        captured = Captured(key, str(message["identity"]).encode(), layout.PIPE_TAG)
        self._leftovers.go_on(captured)
        unit = PipesUnit(self._writer(message), captured, fds[0], fds[1], self._claimed, time.time_ns)
        self._of_key[key] = unit
        self._add(unit)

    def _writer(self, message: dict[str, Any]) -> SpoolWriter:
        unit = str(message["unit"])
        if len(unit) != 24 or not unit.isalnum():
            raise ValueError(unit)
        return SpoolWriter(self._directory, unit, time.time_ns)

    def _add(self, unit: Unit) -> None:
        self._units[unit.writer.unit] = unit
        for fd in unit.fds:
            os.set_blocking(fd, False)
            self._of_fd[fd] = unit
            self._selector.register(fd, selectors.EVENT_READ)

    def _seal(self, peer: protocol.Peer, key: Key) -> None:
        unit = self._of_key.get(key)
        if unit is not None:
            if unit.fds:
                self._end(unit)
            return  # the report after the sync answers
        known = self._sealing.answer(key, self._units.values())
        if known is not None:
            self._clients.send(peer, {"t": "sealed", "logs": [known]})

    def _settle_leftovers(self) -> None:
        try:
            self._grown = self._leftovers.settle() or self._grown
        except OSError as error:
            # The disk is full; the next catcher tries again.
            print(f"what was left can't be settled: {error}", file=sys.stderr)  # noqa: T201 - its log is standard error
