"""The async client does what the sync one does."""

from __future__ import annotations

import inspect

import pytest

from sandbox.client import AsyncClient, Client, Submission, TaskFailed
from sandbox.client.handles import AsyncTaskHandle, TaskHandle
from sandbox.errors import TaskNotFound
from sandbox.model.status import TaskStatus
from tests.unit.sandbox.api.fake_services import FakeServices, task_id


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    for one, other in ((Client, AsyncClient), (TaskHandle, AsyncTaskHandle)):
        names = {name for name in vars(one) if not name.startswith("_")}
        assert names == {name for name in vars(other) if not name.startswith("_")}
        for name in names:
            given = vars(one)[name]
            if inspect.isfunction(given):
                mine = inspect.signature(given).parameters
                theirs = inspect.signature(vars(other)[name]).parameters
                assert list(mine) == list(theirs), name
                assert [p.default for p in mine.values()] == [p.default for p in theirs.values()], name


async def test_a_day_in_the_life(url: str, services: FakeServices) -> None:
    async with AsyncClient(url) as client:
        task = await client.submit("add", [1, 2])
        assert await task.result() == 3
        many = await client.submit_many([Submission(name="later")] * 3, batch=2)
        assert services.tasks.batches == [1, 2, 1]
        services.tasks.end(many[1].task_id)
        with pytest.raises(TimeoutError):
            await client.wait_all(many, timeout=0.05)
        for handle in (many[0], many[2]):
            assert await handle.cancel() is TaskStatus.CANCELLED
        ended = await client.wait_all(many)
        assert {one.status.word for one in ended.values()} == {"succeeded", "cancelled"}
        assert await anext(entry.data async for entry in task.logs()) == b"hello\n"
        assert [event.seq async for event in client.events(limit=2)] == [1, 2]
        assert (await client.list(limit=2)).next_cursor == "2"
        assert (await task.get()).result == 3
        assert (await task.why()).hints == ["azolla-local up"]
        assert (await client.sql("select 1")).rows[1] == [None, {"base64": "AA=="}]
        assert (await client.history(task.task_id))[0].type == "task-created"
        for found in (client.status(), client.shepherds(), client.domains(), client.definitions()):
            assert await found
        with pytest.raises(TaskFailed):
            await (await client.submit("fail")).result()
        with pytest.raises(TaskNotFound):
            await client.get("ff")
        with pytest.raises(TimeoutError):
            await client.wait((await client.submit("later")).task_id, 0)
        assert client.task(task_id(1)).task_id == task.task_id
