"""Step: standard output and error go to the catcher, and are on disk before the result is told."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Protocol

import structlog

from logsinks.errors import LogSinkError
from logsinks.identity import AttemptIdentity
from shepherd.attempts.attempt import Attempt
from shepherd.tiers.outcomes import stopped
from shepherd.wire.payload import End, Outcome

_log = structlog.get_logger(__name__)


class PipeEnds(Protocol):
    """What a process writes its output to."""

    @property
    def stdout_fd(self) -> int: ...
    @property
    def stderr_fd(self) -> int: ...


class Sealed(Protocol):
    """A log that is whole and on disk."""

    @property
    def bytes(self) -> int: ...
    @property
    def lines(self) -> int: ...


class LogCapture(Protocol):
    """The part of `logsinks.capture.Capture` that attempts need."""

    async def open_pipes(self, identity: AttemptIdentity) -> PipeEnds: ...
    async def seal(self, task_id: str, attempt: int) -> Sealed: ...
    async def sealed(self, task_id: str, attempt: int) -> Sealed: ...


class LogsStep:
    """Opens pipes, and seals what came through them."""

    name = "logs"

    def __init__(self, capture: LogCapture, shepherd_id: str, host: str) -> None:
        self._capture = capture
        self._shepherd_id = shepherd_id
        self._host = host

    async def do(self, attempt: Attempt) -> End | None:
        task = attempt.assignment
        identity = AttemptIdentity(
            task_id=task.task_id,
            attempt=task.attempt,
            task_name=task.name,
            domain=task.domain,
            queue=task.queue,
            shepherd=self._shepherd_id,
            host=self._host,
            started=datetime.fromtimestamp(attempt.started_ms / 1000, UTC),
            labels=task.labels,
        )
        try:
            pipes = await self._capture.open_pipes(identity)
        except (LogSinkError, OSError) as error:
            return stopped(Outcome.LOST, f"its output can't be caught: {error}", attempt.tier.name)
        attempt.captured = True
        attempt.output = (pipes.stdout_fd, pipes.stderr_fd)
        return None

    async def undo(self, attempt: Attempt, end: End) -> None:
        close_output(attempt)
        if not attempt.captured:
            return
        try:
            sealed = await self._capture.seal(attempt.assignment.task_id, attempt.assignment.attempt)
        except (LogSinkError, OSError) as error:
            _log.error("a log can't be sealed", attempt=attempt.key, error=str(error))
            return
        end.log_bytes, end.log_lines = sealed.bytes, sealed.lines


def close_output(attempt: Attempt) -> None:
    """The process has its own copies, or there is none."""
    if attempt.output is not None:
        for descriptor in attempt.output:
            os.close(descriptor)
        attempt.output = None
