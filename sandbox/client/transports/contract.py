"""What a transport for tasks does: create and wait, over HTTP or gRPC, with the same errors.

- `create_many` creates all or none; ids come in the order of the submissions.
- `wait` gives None when the task has not ended in time; `watch` gives each task when it has ended and simply
  stops when the time is over.
- Errors are kinds of SandboxError. OrchestratorUnreachable: nothing answered, or the connection broke off; a
  creation may then have happened, which an idempotency key makes harmless to repeat.
- Over gRPC an ended task comes without its domain (empty) and without its time (`ended_ms` is 0).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol

from sandbox.client.submission import Submission
from sandbox.model.task import EndedTask


class TaskTransport(Protocol):
    """For programs with threads; its methods may be called from several at once."""

    def create(self, submission: Submission) -> str: ...

    def create_many(self, submissions: Sequence[Submission]) -> list[str]: ...

    def wait(self, task_id: str, timeout_s: float) -> EndedTask | None: ...

    def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> Iterator[EndedTask]: ...

    def close(self) -> None: ...


class AsyncTaskTransport(Protocol):
    """For programs with asyncio."""

    async def create(self, submission: Submission) -> str: ...

    async def create_many(self, submissions: Sequence[Submission]) -> list[str]: ...

    async def wait(self, task_id: str, timeout_s: float) -> EndedTask | None: ...

    def watch(self, task_ids: Sequence[str], timeout_s: float | None) -> AsyncIterator[EndedTask]: ...

    async def close(self) -> None: ...
