"""The client against a real server with scripted services."""

from __future__ import annotations

import pickle
import socket
import threading
from datetime import UTC, datetime

import pytest

from sandbox.client import Client, Submission, TaskFailed
from sandbox.client.transports.http import HttpTransport
from sandbox.errors import (
    AmbiguousId,
    BadArguments,
    InternalError,
    InvalidInput,
    LogNotFound,
    OrchestratorUnreachable,
    TaskNotFound,
    UnknownTaskName,
)
from sandbox.model.status import TaskStatus
from tests.unit.sandbox.api.fake_services import FakeServices, record, task_id


def test_submit_and_result(client: Client) -> None:
    task = client.submit("add", [1, 2], {"x": 1}, labels={"a": "b"}, priority=2, key="once")
    assert (task.task_id, task.result()) == (task_id(1), 3)
    assert client.submit("add", [1, 2], key="once").task_id == task.task_id
    found = task.get()
    assert (found.args, found.kwargs, found.result, found.labels) == ([1, 2], {"x": 1}, 3, {"a": "b"})
    assert [attempt.outcome for attempt in found.attempts] == ["succeeded"]


def test_numbers_beyond_64_bits_come_back_exact(client: Client) -> None:
    number = 2**64 + 1
    assert client.submit("add", [number]).result() == number
    assert client.get(task_id(1)).args == [number]


def test_what_a_failed_task_raises(client: Client) -> None:
    task = client.submit("fail")
    with pytest.raises(TaskFailed, match="failed after 1 attempt: ValueError: no good") as caught:
        task.result()
    assert caught.value.ended.status is TaskStatus.FAILED
    assert pickle.loads(pickle.dumps(caught.value)).ended == caught.value.ended
    assert task.wait().error_type == "ValueError"


def test_errors_are_those_of_the_orchestrator(client: Client, services: FakeServices) -> None:
    with pytest.raises(UnknownTaskName) as caught:
        client.submit("ad")
    assert (caught.value.subject, caught.value.hint) == ("ad", "did you mean add?")
    services.tasks.add(record(1))
    services.tasks.add(record(2))
    with pytest.raises(AmbiguousId):
        client.get("0000")
    with pytest.raises(TaskNotFound):
        client.wait(task_id(9))


def test_submit_many_in_batches(client: Client, services: FakeServices) -> None:
    handles = client.submit_many((Submission(name="add", args=[n]) for n in range(2500)), batch=1000)
    assert services.tasks.batches == [1000, 1000, 500]
    assert [handle.task_id for handle in handles[:2]] == [task_id(1), task_id(2)]
    assert client.wait_all(handles[:3])[task_id(3)].result == "2"


def test_submit_many_tells_how_many_were_created_before_an_error(client: Client, services: FakeServices) -> None:
    services.tasks.fail_batch = 2
    with pytest.raises(UnknownTaskName) as caught:
        client.submit_many([Submission(name="add")] * 30, batch=10)
    assert caught.value.__notes__ == ["10 tasks were created before"]


def test_as_completed_gives_each_when_it_ends(client: Client, services: FakeServices) -> None:
    tasks = [client.submit("later") for _ in range(3)]
    found = client.as_completed(tasks)
    for number in (2, 3, 1):
        services.tasks.end(task_id(number))
        assert next(found).task_id == task_id(number)
    assert list(found) == []


def test_waits_that_are_too_short(client: Client) -> None:
    task = client.submit("later")
    with pytest.raises(TimeoutError):
        task.wait(0)
    with pytest.raises(TimeoutError, match="1 tasks"):
        client.wait_all([task, client.submit("add")], timeout=0.05)


def test_wait_returns_when_the_task_ends(client: Client, services: FakeServices) -> None:
    task = client.submit("later")
    found: list[TaskStatus] = []
    waiting = threading.Thread(target=lambda: found.append(task.wait().status))
    waiting.start()
    services.tasks.end(task.task_id)
    waiting.join(10)
    assert found == [TaskStatus.SUCCEEDED]


def test_cancel_list_why_and_history(client: Client) -> None:
    task = client.submit("later")
    assert task.why().sentence == "No shepherd is connected."
    assert task.cancel("enough") is TaskStatus.CANCELLED
    page = client.list(statuses=["cancelled"], limit=1)
    assert ([one.task_id for one in page.tasks], page.next_cursor) == ([task.task_id], None)
    assert client.history(task.task_id)[0].type == "task-created"
    assert [event.seq for event in client.events(after=1, limit=2)] == [2, 3]


def test_logs(client: Client, services: FakeServices) -> None:
    task = client.submit("chatty")
    entries = list(task.logs())
    assert b"".join(entry.data for entry in entries) == b"hello\noh no\n\xff\x1b]0;x\x07raw\nagain\n"
    assert [entry.stream for entry in entries][:2] == ["stdout", "stderr"]
    services.logs.entries.clear()
    with pytest.raises(LogNotFound):
        list(task.logs())


def test_a_broken_stream_is_an_error_not_an_end(client: Client, services: FakeServices) -> None:
    services.logs.break_after = 2
    entries = client.submit("chatty").logs()
    assert len([next(entries), next(entries)]) == 2
    with pytest.raises(InternalError):
        next(entries)


def test_the_rest(client: Client) -> None:
    table = client.sql("select 1")
    assert (table.columns, table.rows[0], table.truncated) == (["name", "n"], ["add", 2], False)
    assert client.status()["name"] == "default"
    assert client.shepherds()[0]["name"] == "local"
    assert client.domains()[0]["name"] == "default"
    assert client.definitions()["problems"]


@pytest.mark.parametrize("args", ["text", b"bytes"])
def test_args_are_no_text(client: Client, args: str | bytes) -> None:
    with pytest.raises(BadArguments, match="args is a list"):
        client.submit("add", args)  # type: ignore[arg-type]


def test_what_json_cannot_hold_is_refused_before_it_is_sent(client: Client, services: FakeServices) -> None:
    with pytest.raises(BadArguments, match="can't be sent as JSON"):
        client.submit("add", [object()])
    with pytest.raises(InvalidInput, match="delay or a time"):
        client.submit("add", delay=1, not_before=datetime.now(UTC))
    assert services.tasks.created == []


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with Client(f"127.0.0.1:{port}") as client, pytest.raises(OrchestratorUnreachable) as caught:
        client.submit("add")
    assert (caught.value.hint, caught.value.exit_code) == ("azolla-local up", 6)


def test_another_program_listens(url: str) -> None:
    with Client(http=HttpTransport(url + "/nothing")) as client, pytest.raises(Exception, match="no such address"):
        client.status()
