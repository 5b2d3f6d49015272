"""A resident worker of sync tasks: one attempt after another, on the main thread.

If the first attempt is async, it becomes a worker of such (`resident_async`).

While an attempt runs, the main thread is the task's. A second thread, asleep as long as attempts are short, looks
every 20 ms: it sends replies that wait behind a long attempt, tells the shepherd that this one runs, and reads the
control socket until it ends, so that cancels and the end of the shepherd are heard.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from contextvars import copy_context
from queue import Empty, SimpleQueue
from time import time_ns

from shepherd.definitions.current_context import CURRENT
from shepherd.workers.control import Control, leave
from shepherd.workers.outcome import failed
from shepherd.workers.output import Output
from shepherd.workers.python_task import run
from shepherd.workers.resident_attempt import ResidentAttempt, Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shepherd.workers.outcome import Outcome
    from shepherd.workers.pipe import Message

TICK_S = 0.02
"""An attempt that runs longer counts as long: the shepherd is told that it runs."""


class ResidentLoop:
    """Serves until the shepherd says retire or is gone."""

    def __init__(self, control: Control, output: Output, running: Running, *, parallel: int) -> None:
        self._control = control
        self._parallel = parallel
        self._output = output
        self._running = running
        self._waiting: deque[ResidentAttempt] = deque()
        self._tags = 0
        self._retiring = False
        self._pid = os.getpid()
        self._reading = threading.Lock()
        """Who holds it may read the socket and touch what waits. The main thread gives it up while a task runs."""
        self._current: ResidentAttempt | None = None
        self._turn = 0
        self._watcher_sleeps = False
        self._watcher_reads = False
        self._wake_watcher: SimpleQueue[None] = SimpleQueue()
        self._stop_reading, self._stop_reading_sender = os.pipe()

    def serve(self) -> None:
        """Never returns while the process lives."""
        threading.Thread(target=self._watch, name="azolla-watcher", daemon=True).start()
        self._control.send({"t": "ready", "pid": self._pid})
        control, waiting = self._control, self._waiting
        self._reading.acquire()
        while True:
            if waiting:
                self._run(waiting.popleft())
                if control.held_too_long():
                    control.flush()
                continue
            messages = control.receive(wait=False)
            if messages is None:
                control.flush()
                if self._retiring:
                    leave(0)
                messages = control.receive(wait=True)
            if self._turn == 0 and not waiting and any(message.get("is_async") for message in messages or ()):
                self._serve_async(messages or [])
            for message in messages or ():
                self._take(message)

    def _serve_async(self, messages: list[Message]) -> None:
        """Become a worker of async tasks, as the first attempt asks."""
        # Late, since asyncio takes longer to import than all the rest.
        from shepherd.workers.resident_async import ResidentAsyncLoop

        loop = ResidentAsyncLoop(self._control, self._output, self._running, parallel=self._parallel)
        loop.serve(messages)

    def _take(self, message: Message) -> None:
        kind = message["t"]
        if kind == "attempt":
            self._tags = (self._tags + 1) & 0xFFFFFFFF
            self._waiting.append(ResidentAttempt(message, self._tags, self._control.heartbeat))
        elif kind == "cancel":
            self._cancel(message["key"])
        elif kind == "retire":
            self._retiring = True

    def _cancel(self, key: str) -> None:
        current = self._current
        if current is not None and current.key == key:
            # Python can't be stopped from outside: the task may look, or the shepherd kills the worker.
            current.cancel()
            return
        for attempt in self._waiting:
            if attempt.key == key:
                self._waiting.remove(attempt)
                attempt.started_ms = time_ns() // 1_000_000
                self._control.ended(attempt, cancelled_before_start())
                return

    def _run(self, attempt: ResidentAttempt) -> None:
        message = attempt.message
        attempt.started_ms = time_ns() // 1_000_000
        self._running.add(attempt)
        self._turn += 1
        self._current = attempt
        if self._watcher_sleeps:
            self._watcher_sleeps = False
            self._wake_watcher.put(None)
        self._reading.release()
        outcome = copy_context().run(_run_in_context, attempt, message)
        if os.getpid() != self._pid:
            # A fork that the task made has returned from its function.
            os._exit(0)
        self._current = None
        if self._watcher_reads:
            os.write(self._stop_reading_sender, b"\0")
        self._reading.acquire()
        self._output.finish(attempt)
        self._running.remove(attempt)
        attempt.send_note()
        attempt.clean_up()
        self._control.ended(attempt, outcome)

    # The second thread.

    def _watch(self) -> None:
        seen = -1
        while True:
            current = self._current
            if current is None:
                self._watcher_sleeps = True
                # Once more, for one that began while we decided to sleep.
                if self._current is None:
                    self._wake_watcher.get()
                self._watcher_sleeps = False
                seen = self._turn
            elif seen == self._turn:
                self._control.flush()
                self._accompany(current, seen)
            else:
                seen = self._turn
            self._pause()
            if self._control.held_too_long():
                self._control.flush()

    def _pause(self) -> None:
        try:
            self._wake_watcher.get(timeout=TICK_S)
        except Empty:
            # Nobody wakes it twice: the time is what it waits for.
            return

    def _accompany(self, attempt: ResidentAttempt, turn: int) -> None:
        """Do the talking for a long attempt, until it ends."""
        if not attempt.told:
            self._control.started(attempt)
        self._watcher_reads = True
        with self._reading:
            poll = select.poll()
            poll.register(self._control.fileno(), select.POLLIN)
            poll.register(self._stop_reading, select.POLLIN)
            while self._turn == turn and self._current is attempt:
                attempt.send_note()
                timeout = TICK_S * 1000 if attempt.note is not None else 1000
                ready = {descriptor for descriptor, _ in poll.poll(timeout)}
                if self._control.fileno() in ready:
                    for message in self._control.receive(wait=False) or ():
                        self._take(message)
                    self._control.flush()
                if self._stop_reading in ready:
                    break
            self._watcher_reads = False
        _empty(self._stop_reading)


def _run_in_context(attempt: ResidentAttempt, message: Message) -> Outcome:
    CURRENT.set(attempt)
    return run(message["module_path"], message["function"], attempt.context, message["args"], message["kwargs"])


def cancelled_before_start() -> Outcome:
    """The outcome of an attempt that was cancelled while it waited in the worker."""
    return failed("Cancelled", "the attempt was cancelled before it was started", retriable=False)


def _empty(descriptor: int) -> None:
    """Take away the wake-ups that have come; none may be left for the next attempt."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while poll.poll(0):
        os.read(descriptor, 64)
