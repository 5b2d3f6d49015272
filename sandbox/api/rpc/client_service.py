"""`azolla.orchestrator.ClientService`: what Azolla's clients call. And `azolla_local.Tasks`: ours, in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sandbox.api.rpc import convert
from sandbox.errors import NotSupported, TaskNotFound
from sandbox.service.tasks import TaskService
from shepherd.wire import messages as wire

_LONGEST_WAIT_S = 300.0
"""How long Azolla waits where the client gives no time."""


def _no_flows() -> NotSupported:
    return NotSupported(
        "Flows are not served by this version",
        why="Azolla answers these calls without doing anything; an honest refusal is better",
        hint="create the tasks one by one and wait for each",
    )


class ClientCalls:
    """One method a call; errors are kinds of SandboxError, which the server turns into statuses."""

    def __init__(self, tasks: TaskService) -> None:
        self._tasks = tasks

    async def create_task(self, request: wire.CreateTaskRequest) -> wire.CreateTaskResponse:
        """The answer comes after the creation is on disk."""
        return wire.CreateTaskResponse(task_id=await self._tasks.create(convert.new_task(request), checked_name=False))

    async def wait_for_task(self, request: wire.WaitForTaskRequest) -> wire.WaitForTaskResponse:
        """As Azolla: an unknown id is a status, not an error, and with a time of 0 it is a time-out."""
        timeout_s = request.timeout_ms / 1000 if request.HasField("timeout_ms") else _LONGEST_WAIT_S
        try:
            ended = await self._tasks.wait(convert.task_id(request.task_id), timeout_s, domain=request.domain)
        except TaskNotFound:
            if timeout_s == 0:
                return wire.WaitForTaskResponse(status_code=wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_TIMEOUT)
            return wire.WaitForTaskResponse(status_code=wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_TASK_NOT_FOUND)
        if ended is None:
            return wire.WaitForTaskResponse(status_code=wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_TIMEOUT)
        return convert.wait_answer(ended)

    async def create_flow(self, _: wire.CreateFlowRequest) -> wire.CreateFlowResponse:
        """Not served yet."""
        raise _no_flows()

    async def wait_for_flow(self, _: wire.WaitForFlowRequest) -> wire.WaitForFlowResponse:
        """Not served yet."""
        raise _no_flows()

    async def publish_task_event(self, request: wire.PublishTaskEventRequest) -> wire.PublishTaskEventResponse:
        """Azolla forgets what is published; here it becomes part of the task's history."""
        await self._tasks.publish(
            convert.task_id(request.task_instance_id), request.event_type, request.metadata, domain=request.domain
        )
        return wire.PublishTaskEventResponse(success=True)

    async def publish_flow_event(self, _: wire.PublishFlowEventRequest) -> wire.PublishFlowEventResponse:
        """Not served yet."""
        raise _no_flows()


class TasksCalls:
    """Many tasks in one call."""

    def __init__(self, tasks: TaskService) -> None:
        self._tasks = tasks

    async def create_tasks(self, request: wire.CreateTasksRequest) -> wire.CreateTasksResponse:
        """All or none, in one commit."""
        new_task = convert.new_task
        ids = await self._tasks.create_many([new_task(task) for task in request.tasks], checked_name=False)
        return wire.CreateTasksResponse(task_ids=ids)

    async def watch_tasks(self, request: wire.WatchTasksRequest) -> AsyncIterator[wire.TasksEnded]:
        """Each task when it has ended; those that ended together travel together."""
        ids = [convert.task_id(text) for text in request.task_ids]
        async for batch in self._tasks.wait_in_batches(ids, None):
            yield wire.TasksEnded(
                ended=[
                    wire.TaskEnded(
                        task_id=ended.task_id,
                        answer=convert.wait_answer(ended),
                        status=ended.status.word,
                        attempts=ended.attempt,
                    )
                    for ended in batch
                ]
            )
