"""Results, kept until the orchestrator has them on disk.

A result is put into a batch when it is sent for the first time; the batch keeps its sequence number and is sent again,
as it is, after each reconnect, until a number that is not below its own is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from shepherd.wire import codec
from shepherd.wire.messages import AttemptResults, TaskResult
from shepherd.wire.payload import End

MOST_RESULTS = 1_000
MOST_BYTES = 8 * 1024 * 1024


class Outbox:
    """`wake` is called when something new is in it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._new: deque[TaskResult] = deque()
        self._sent: deque[AttemptResults] = deque()
        """In the order of their numbers, not acknowledged."""
        self._sequence = 0
        self._to_repeat = 0
        """How many of `_sent`, from the left, must be sent (again) on this connection: all but the last so many."""
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """How many results have not been sent yet."""
        return len(self._new)

    def put(self, task_id: str, attempt: int, end: End) -> None:
        """Keep one more."""
        self._new.append(codec.result(task_id, attempt, end))
        self._empty.clear()
        self._wake()

    def reconnected(self) -> None:
        """A new connection: what was sent on the last one counts as unsent."""
        self._to_repeat = len(self._sent)

    def next_batch(self) -> AttemptResults | None:
        """What to send next; None: nothing, for now."""
        if self._to_repeat:
            batch = self._sent[len(self._sent) - self._to_repeat]
            self._to_repeat -= 1
            return batch
        if not self._new:
            return None
        self._sequence += 1
        batch = AttemptResults(sequence=self._sequence, results=self._take())
        self._sent.append(batch)
        return batch

    def next_single(self) -> TaskResult | None:
        """The next result for an orchestrator that acknowledges nothing: it is kept no longer."""
        if self._sent:
            for batch in reversed(self._sent):
                self._new.extendleft(reversed(batch.results))
            self._sent.clear()
            self._to_repeat = 0
        if not self._new:
            return None
        result = self._new.popleft()
        self._note_if_empty()
        return result

    def acknowledged(self, sequence: int) -> list[tuple[str, int]]:
        """All batches up to this number are safe; the task ids and attempts in them."""
        keys: list[tuple[str, int]] = []
        while self._sent and self._sent[0].sequence <= sequence:
            if self._to_repeat == len(self._sent):
                self._to_repeat -= 1
            keys += [(result.task_id, result.attempt) for result in self._sent.popleft().results]
        self._note_if_empty()
        return keys

    def forget(self, keys: set[tuple[str, int]]) -> None:
        """The orchestrator doesn't want these: they are not sent again."""
        self._new = deque(result for result in self._new if (result.task_id, result.attempt) not in keys)
        for batch in self._sent:
            wanted = [result for result in batch.results if (result.task_id, result.attempt) not in keys]
            if len(wanted) != len(batch.results):
                del batch.results[:]
                batch.results.extend(wanted)
        self._note_if_empty()

    def standing(self) -> Iterator[tuple[str, int]]:
        """Task id and attempt of each result that is in here."""
        for batch in self._sent:
            for result in batch.results:
                yield result.task_id, result.attempt
        for result in self._new:
            yield result.task_id, result.attempt

    async def emptied(self) -> None:
        """Until every result is acknowledged."""
        await self._empty.wait()

    def _take(self) -> list[TaskResult]:
        new = self._new
        results: list[TaskResult] = []
        size = 0
        while new and len(results) < MOST_RESULTS and size < MOST_BYTES:
            result = new.popleft()
            size += result.ByteSize()
            results.append(result)
        return results

    def _note_if_empty(self) -> None:
        if not self._sent and not self._new:
            self._empty.set()
