"""A resident worker of async tasks: many attempts at once in one event loop, on the main thread.

Its shepherd sends it async tasks; a sync one that comes nevertheless runs in a thread beside them, one at a time.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import time_ns

from shepherd.definitions.current_context import CURRENT
from shepherd.workers.control import Control, leave
from shepherd.workers.outcome import failed
from shepherd.workers.output import Output
from shepherd.workers.python_module import load_function
from shepherd.workers.python_task import begin, failure, finish, run
from shepherd.workers.resident_attempt import ResidentAttempt, Running
from shepherd.workers.resident_loop import TICK_S, cancelled_before_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shepherd.workers.outcome import Outcome
    from shepherd.workers.pipe import Message


class ResidentAsyncLoop:
    """Serves until the shepherd says retire or is gone."""

    def __init__(self, control: Control, output: Output, running: Running, *, parallel: int) -> None:
        self._control = control
        self._output = output
        self._running = running
        self._parallel = parallel
        self._waiting: deque[ResidentAttempt] = deque()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._threads: ThreadPoolExecutor | None = None
        self._pid = os.getpid()
        self._tags = 0
        self._retiring = False
        self._flush_planned = False
        self._tick_planned = False

    def serve(self, first: list[Message]) -> None:
        """Begin with the messages that were read already. Never returns while the process lives."""
        asyncio.set_event_loop(self._loop)
        self._loop.add_reader(self._control.fileno(), self._readable)
        self._loop.call_soon(self._take_all, first)
        self._loop.run_forever()

    def _readable(self) -> None:
        messages = self._control.receive(wait=False)
        if messages:
            self._take_all(messages)

    def _take_all(self, messages: list[Message]) -> None:
        for message in messages:
            kind = message["t"]
            if kind == "attempt":
                self._tags = (self._tags + 1) & 0xFFFFFFFF
                self._waiting.append(ResidentAttempt(message, self._tags, self._control.heartbeat))
            elif kind == "cancel":
                self._cancel(message["key"])
            elif kind == "retire":
                self._retiring = True
        self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._tasks) < self._parallel:
            attempt = self._waiting.popleft()
            attempt.started_ms = time_ns() // 1_000_000
            self._running.add(attempt)
            task = self._tasks[attempt.key] = self._loop.create_task(self._run(attempt))
            del task
        if self._tasks and not self._tick_planned:
            self._tick_planned = True
            self._loop.call_later(TICK_S, self._tick)
        if self._retiring and not self._tasks:
            self._control.flush()
            leave(0)

    def _cancel(self, key: str) -> None:
        task, attempt = self._tasks.get(key), self._running.get(key)
        if task is not None and attempt is not None:
            attempt.cancel()
            task.cancel()
            return
        for attempt in self._waiting:
            if attempt.key == key:
                self._waiting.remove(attempt)
                attempt.started_ms = time_ns() // 1_000_000
                self._reply(attempt, cancelled_before_start())
                return

    async def _run(self, attempt: ResidentAttempt) -> None:
        CURRENT.set(attempt)
        message = attempt.message
        try:
            if message["is_async"]:
                function = load_function(message["module_path"], message["function"])
                result = begin(function, attempt.context, message["args"], message["kwargs"])
                if hasattr(result, "__await__"):
                    result = await result
                outcome = finish(result)
            else:
                outcome = await self._run_in_thread(attempt)
        except asyncio.CancelledError:
            outcome = failed("Cancelled", "the attempt was cancelled", retriable=False)
        except BaseException as error:  # noqa: BLE001 - every end of a task is an outcome, SystemExit too
            outcome = failure(error)
        if os.getpid() != self._pid:
            # A fork that the task made has returned from its function.
            os._exit(0)
        self._output.finish(attempt)
        self._running.remove(attempt)
        del self._tasks[attempt.key]
        attempt.send_note()
        attempt.clean_up()
        self._reply(attempt, outcome)
        if self._waiting or self._retiring:
            self._start_waiting()

    async def _run_in_thread(self, attempt: ResidentAttempt) -> Outcome:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="azolla-sync")
        message, context = attempt.message, copy_context()
        path, name, args, kwargs = message["module_path"], message["function"], message["args"], message["kwargs"]
        return await self._loop.run_in_executor(
            self._threads, lambda: context.run(run, path, name, attempt.context, args, kwargs)
        )

    def _reply(self, attempt: ResidentAttempt, outcome: Outcome) -> None:
        self._control.ended(attempt, outcome)
        if not self._flush_planned:
            # Once this turn of the loop is over: then the others that end in it are sent along.
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        self._control.flush()

    def _tick(self) -> None:
        self._tick_planned = bool(self._tasks)
        if self._tick_planned:
            self._loop.call_later(TICK_S, self._tick)
        long_ago = time_ns() // 1_000_000 - round(TICK_S * 1000)
        for attempt in self._running.all():
            attempt.send_note()
            if not attempt.told and attempt.started_ms <= long_ago:
                self._control.started(attempt)
