"""What tasks print in a resident worker, each line to the log of its own attempt.

Two ways lead out. `sys.stdout` and `sys.stderr` are replaced by streams that know the attempt from a context
variable, which follows async tasks and threads. Descriptors 1 and 2, which C code and subprocesses write to, are
pipes that a thread reads; what comes out of them belongs to the attempt that started last, so it is exact where
one runs at a time.
"""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from contextvars import copy_context

from shepherd.definitions.current_context import CURRENT
from shepherd.workers.channel import STDERR, STDOUT, Channel
from shepherd.workers.resident_attempt import ResidentAttempt, Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_READ_BYTES = 64 * 1024


class Output:
    """All output of one worker."""

    def __init__(self, channel: Channel, running: Running) -> None:
        self._channel = channel
        self._running = running
        self._forked = False
        self._lock = threading.Lock()
        self._stray = os.dup(2)
        """Where goes what is printed while no attempt runs: the shepherd's own log."""
        self._pipes = {_pipe_at(1): STDOUT, _pipe_at(2): STDERR}
        self._poll = self._new_poll()

    def install(self) -> None:
        """Replace the streams, and start to read the descriptors."""
        sys.stdout = sys.__stdout__ = TaggedText(self, STDOUT)
        sys.stderr = sys.__stderr__ = TaggedText(self, STDERR)
        os.register_at_fork(after_in_child=self._in_child)
        _threads_inherit_context()
        threading.Thread(target=self._read_pipes, name="azolla-output", daemon=True).start()

    def write(self, kind: int, data: bytes) -> None:
        """Send what a stream was given; it is on its way when this returns."""
        if self._forked:
            _write_all(kind, data)
            return
        self.drain()
        side = CURRENT.get()
        attempt = side if isinstance(side, ResidentAttempt) and side.running else self._running.latest()
        self._send(attempt, kind, data)

    def drain(self) -> None:
        """Send what C code and subprocesses have written up to now."""
        with self._lock:
            while ready := self._poll.poll(0):
                for descriptor, _ in ready:
                    self._send(self._running.latest(), self._pipes[descriptor], os.read(descriptor, _READ_BYTES))

    def finish(self, attempt: ResidentAttempt) -> None:
        """All output of an attempt is on its way; say that it was all."""
        self.drain()
        if attempt.logged:
            self._channel.end(attempt.tag)

    def complain(self, text: str) -> None:
        """Say something to the shepherd's own log."""
        _write_all(self._stray, text.encode("utf-8", "replace"))

    def _send(self, attempt: ResidentAttempt | None, kind: int, data: bytes) -> None:
        if attempt is None:
            _write_all(self._stray, data)
            return
        if attempt.logged:
            self._channel.write(attempt.tag, kind, data)
            return
        attempt.logged = True
        self._channel.write(attempt.tag, kind, data, attempt.message["identity"].encode())

    def _read_pipes(self) -> None:
        waiting = self._new_poll()
        while True:
            waiting.poll()
            self.drain()

    def _new_poll(self) -> select.poll:
        poll = select.poll()
        for descriptor in self._pipes:
            poll.register(descriptor, select.POLLIN)
        return poll

    def _in_child(self) -> None:
        # A fork prints through the descriptors: frames of two processes could mix in the channel.
        self._forked = True


def _pipe_at(descriptor: int) -> int:
    """Put the writing end of a new pipe in the place of a descriptor; the reading end is returned."""
    reading, writing = os.pipe()
    os.dup2(writing, descriptor)
    os.close(writing)
    return reading


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _threads_inherit_context() -> None:
    """Let a thread print to the log of the attempt that started it; Python does so by itself from 3.14 on."""
    plain_start = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if CURRENT.get() is not None:
            context, run = copy_context(), self.run
            self.run = lambda: context.run(run)
        plain_start(self)

    threading.Thread.start = start


class TaggedBytes(io.BufferedIOBase):
    """`sys.stdout.buffer` of a worker. Nothing is held back."""

    def __init__(self, output: Output, kind: int) -> None:
        self._output = output
        self._kind = kind

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        content = bytes(data)
        if content:
            self._output.write(self._kind, content)
        return len(content)

    def fileno(self) -> int:
        return self._kind

    def close(self) -> None:
        """Nothing: the next attempt needs it."""


class TaggedText(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a worker. Nothing is held back."""

    def __init__(self, output: Output, kind: int) -> None:
        self._output = output
        self._kind = kind
        self._bytes = TaggedBytes(output, kind)
        self.mode = "w"
        self.name = "<stdout>" if kind == STDOUT else "<stderr>"
        self.line_buffering = True
        self.write_through = True

    @property
    def buffer(self) -> TaggedBytes:
        """For bytes."""
        return self._bytes

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # a variable in the stubs only
        return "utf-8"

    @property
    def errors(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        return "backslashreplace"

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if text:
            self._output.write(self._kind, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        self.write("".join(lines))

    def fileno(self) -> int:
        return self._kind

    def reconfigure(self, **options: Any) -> None:
        """Accepted and without effect: the log is UTF-8, and unbuffered."""
        del options

    def close(self) -> None:
        """Nothing: the next attempt needs it."""
