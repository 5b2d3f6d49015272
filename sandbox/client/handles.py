"""A task that a program has created, as an object that can be asked about itself."""
# ruff: noqa: ASYNC109 - the timeouts are those of the sync handle: a time to wait that programs choose

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.client.outcome import result_of
from sandbox.client.records import LogEntry, TaskInfo, Why
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask

if TYPE_CHECKING:
    from sandbox.client.aio import AsyncClient
    from sandbox.client.sync import Client


class TaskHandle:
    """A task that was created. Cheap; knows nothing but its id."""

    def __init__(self, client: Client, task_id: str) -> None:
        self._client = client
        self.task_id = task_id

    def __repr__(self) -> str:
        return f"TaskHandle({self.task_id!r})"

    def wait(self, timeout: float | timedelta | None = None) -> EndedTask:
        """The ended task, however it ended. TimeoutError if it has not ended in time."""
        return self._client.wait(self.task_id, timeout)

    def result(self, timeout: float | timedelta | None = None) -> Any:
        """What the task returned. TaskFailed if it did not succeed, TimeoutError if it has not ended in time."""
        return result_of(self.wait(timeout))

    def cancel(self, reason: str = "") -> TaskStatus:
        """Cancel it; see `Client.cancel`."""
        return self._client.cancel(self.task_id, reason)

    def logs(self, *, follow: bool = False, tail: int | None = None) -> Iterator[LogEntry]:
        """What it has written; see `Client.logs`."""
        return self._client.logs(self.task_id, follow=follow, tail=tail)

    def get(self) -> TaskInfo:
        """All there is to say of it."""
        return self._client.get(self.task_id)

    def why(self) -> Why:
        """Why it stands where it stands."""
        return self._client.why(self.task_id)


class AsyncTaskHandle:
    """A task that was created. Cheap; knows nothing but its id."""

    def __init__(self, client: AsyncClient, task_id: str) -> None:
        self._client = client
        self.task_id = task_id

    def __repr__(self) -> str:
        return f"AsyncTaskHandle({self.task_id!r})"

    async def wait(self, timeout: float | timedelta | None = None) -> EndedTask:
        """The ended task, however it ended. TimeoutError if it has not ended in time."""
        return await self._client.wait(self.task_id, timeout)

    async def result(self, timeout: float | timedelta | None = None) -> Any:
        """What the task returned. TaskFailed if it did not succeed, TimeoutError if it has not ended in time."""
        return result_of(await self.wait(timeout))

    async def cancel(self, reason: str = "") -> TaskStatus:
        """Cancel it; see `AsyncClient.cancel`."""
        return await self._client.cancel(self.task_id, reason)

    def logs(self, *, follow: bool = False, tail: int | None = None) -> AsyncIterator[LogEntry]:
        """What it has written; see `AsyncClient.logs`."""
        return self._client.logs(self.task_id, follow=follow, tail=tail)

    async def get(self) -> TaskInfo:
        """All there is to say of it."""
        return await self._client.get(self.task_id)

    async def why(self) -> Why:
        """Why it stands where it stands."""
        return await self._client.why(self.task_id)
