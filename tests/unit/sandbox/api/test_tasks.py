"""The paths of tasks: what goes in, what comes out, which status and problem a mistake gets."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from sandbox.api.rest.attempts import attempts_of
from sandbox.model.event import EventType
from sandbox.model.status import TaskStatus
from sandbox.store.contract import EventRecord
from tests.unit.sandbox.api.fake_services import FakeServices, record, task_id


async def test_create(http: httpx.AsyncClient, services: FakeServices) -> None:
    answer = await http.post("/v1/tasks", json={"name": "add", "args": [1, 2]}, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()) == (201, {"task_id": task_id(1)})
    assert answer.headers["location"] == f"/v1/tasks/{task_id(1)}"
    assert (services.tasks.created[0].args, services.tasks.created[0].idempotency_key) == ("[1,2]", "k")


@pytest.mark.parametrize(
    ("kind", "body"), [("application/json", None), ("application/x-ndjson", b'{"name":"add"}\n' * 3)]
)
async def test_create_batch(http: httpx.AsyncClient, services: FakeServices, kind: str, body: bytes | None) -> None:
    content = body or orjson.dumps({"tasks": [{"name": "add"}] * 3})
    answer = await http.post("/v1/tasks:batch", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()) == (201, {"task_ids": [task_id(n) for n in (1, 2, 3)]})
    assert services.tasks.batches == [3]


@pytest.mark.parametrize(
    ("path", "content", "status", "code"),
    [
        ("/v1/tasks", b"{", 400, "invalid-input.json"),
        ("/v1/tasks", b'{"name":"add","args":5}', 422, "invalid-input.arguments"),
        ("/v1/tasks", b'{"name":"ad"}', 422, "invalid-input.task-name"),
        ("/v1/tasks:batch", b'{"tasks":[]}', 422, "invalid-input"),
        ("/v1/sql", b"{}", 422, "invalid-input"),
        ("/v1/tasks:wait", b'{"task_ids":"x"}', 422, "invalid-input"),
        ("/v1/tasks:wait", b'{"task_ids":[],"timeout":-1}', 422, "invalid-input"),
    ],
)
async def test_mistakes_are_problems(
    http: httpx.AsyncClient, path: str, content: bytes, status: int, code: str
) -> None:
    answer = await http.post(path, content=content)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:azolla-local:error:{code}"


async def test_unknown_paths_methods_and_parameters_are_problems(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v2/tasks")).json()["code"] == "not-found"
    refused = await http.delete("/v1/tasks")
    assert (refused.status_code, refused.json()["code"]) == (405, "not-supported")
    wrong = await http.get("/v1/tasks?limit=many")
    assert wrong.status_code == 422
    assert "limit" in wrong.json()["detail"]


async def test_bugs_are_problems_without_a_traceback(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.domains = lambda: 1 / 0  # type: ignore[assignment,return-value]
    answer = await http.get("/v1/domains")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text


async def test_a_body_that_is_too_large(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.api.rest.bodies.MAX_BODY_BYTES", 100)
    answer = await http.post("/v1/tasks", content=b'{"name":"' + b"x" * 200 + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "invalid-input.too-large")


async def test_get_by_prefix_with_attempts(http: httpx.AsyncClient) -> None:
    await http.post("/v1/tasks", json={"name": "exit", "args": [3]})
    found = (await http.get(f"/v1/tasks/{task_id(1)}")).json()
    assert (found["status"], found["error"]["type"], found["args"]) == ("dead", "ExitCode", [3])
    [attempt] = found["attempts"]
    assert (attempt["outcome"], attempt["exit_code"], attempt["shepherd_id"]) == ("failed", 3, "shepherd-1")
    assert attempt["assigned_ms"] < attempt["ended_ms"]


async def test_big_numbers_go_in_and_out_exactly(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1, args="[18446744073709551617,9007199254740993]", result='{"n":1e400}'))
    text = (await http.get(f"/v1/tasks/{task_id(1)}")).text
    assert '"args":[18446744073709551617,9007199254740993]' in text


async def test_stored_text_that_is_no_json_breaks_no_answer(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1, args='{"a":', result="oops"))
    found = (await http.get(f"/v1/tasks/{task_id(1)}")).json()
    assert (found["args"], found["result"]) == ('{"a":', "oops")


async def test_ambiguous_and_unknown_ids(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1))
    services.tasks.add(record(2))
    several = await http.get("/v1/tasks/0000")
    assert (several.status_code, several.json()["code"]) == (409, "conflict.ambiguous-id")
    assert task_id(2) in several.json()["detail"]
    assert (await http.get("/v1/tasks/ff")).status_code == 404


async def test_list_filters_and_pages(http: httpx.AsyncClient, services: FakeServices) -> None:
    for number in (1, 2, 3):
        services.tasks.add(record(number))
    answer = await http.get(
        "/v1/tasks",
        params=[("status", "pending,failed"), ("status", "dead"), ("label", "a=b"), ("limit", "2"), ("since", "1h")],
    )
    assert [task["task_id"] for task in answer.json()["tasks"]] == [task_id(3), task_id(2)]
    which = services.tasks.filters[0][0]
    assert which.statuses == (TaskStatus.PENDING, TaskStatus.FAILED, TaskStatus.DEAD)
    assert which.labels == {"a": "b"}
    assert which.created_from_ms is not None
    assert "args" not in answer.json()["tasks"][0]
    rest = await http.get("/v1/tasks", params={"cursor": answer.json()["next_cursor"], "limit": "2"})
    assert (len(rest.json()["tasks"]), rest.json()["next_cursor"]) == (1, None)


@pytest.mark.parametrize(
    "query", ["status=gone", "label=a", "since=yesterday", "since=2030-01-01T00:00:00", "until=99999999w"]
)
async def test_filters_that_cannot_be_meant(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/v1/tasks?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input.filter")


async def test_cancel(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1))
    answer = await http.post(f"/v1/tasks/{task_id(1)}/cancel", json={"reason": "enough"})
    assert answer.json() == {"task_id": task_id(1), "status": "cancelled"}
    assert services.tasks.cancelled == [(task_id(1), "enough")]
    assert (await http.post(f"/v1/tasks/{task_id(1)}/cancel")).status_code == 200
    assert (await http.post(f"/v1/tasks/{task_id(1)}/cancel", json={"reason": 5})).status_code == 422


async def test_why_and_history(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1))
    why = (await http.get(f"/v1/tasks/{task_id(1)}/why")).json()
    assert why == {
        "task_id": task_id(1),
        "status": "pending",
        "sentence": "No shepherd is connected.",
        "hints": ["azolla-local up"],
        "detail": {},
    }
    events = (await http.get(f"/v1/tasks/{task_id(1)}/events")).json()["events"]
    assert [(event["seq"], event["type"], event["attempt"]) for event in events] == [(1, "task-created", None)]


async def test_wait(http: httpx.AsyncClient, services: FakeServices) -> None:
    services.tasks.add(record(1))
    early = await http.get(f"/v1/tasks/{task_id(1)}/wait?timeout=0")
    assert (early.status_code, early.json()) == (202, {"task_id": task_id(1), "status": "pending"})
    services.tasks.end(task_id(1), result="[1]")
    ended = await http.get(f"/v1/tasks/{task_id(1)}/wait")
    assert (ended.status_code, ended.json()["status"], ended.json()["result"]) == (200, "succeeded", [1])
    assert (await http.get(f"/v1/tasks/{task_id(9)}/wait")).status_code == 404
    assert (await http.get(f"/v1/tasks/{task_id(1)}/wait?timeout=9999")).status_code == 422


async def test_wait_for_many(http: httpx.AsyncClient, services: FakeServices) -> None:
    for number in (1, 2, 3):
        services.tasks.add(record(number))
    services.tasks.end(task_id(2), TaskStatus.FAILED, error_type="ValueError", error_message="x", error_data='{"a":1}')
    services.tasks.end(task_id(3))
    body = {"task_ids": [task_id(n) for n in (1, 2, 3)], "timeout": 0}
    answer = await http.post("/v1/tasks:wait", json=body)
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [line["task_id"] for line in lines[:-1]] == [task_id(2), task_id(3)]
    assert lines[0]["error"] == {"type": "ValueError", "message": "x", "data": {"a": 1}, "retriable": False}
    assert lines[-1] == {"end": True, "waiting": 1}


async def test_wait_for_many_tells_of_an_unknown_task_in_the_stream(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/tasks:wait", json={"task_ids": [task_id(9)]})
    assert orjson.loads(answer.text)["error"]["code"] == "not-found.task"


def test_attempts_from_a_history_with_everything() -> None:
    def fact(kind: EventType, attempt: int, time_ms: int, **metadata: Any) -> EventRecord:
        known = {"domain": "d", "task_id": "t", "shepherd_id": "s", "seq": time_ms}
        return EventRecord(type=kind, attempt=attempt, time_ms=time_ms, metadata=metadata, **known)

    log = {"sink": "local", "locator": "/a.log"}
    found = attempts_of(
        [
            fact(EventType.TASK_CREATED, 0, 1),
            fact(EventType.ATTEMPT_ASSIGNED, 1, 2),
            fact(EventType.ATTEMPT_STARTED, 1, 3, started_ms=4),
            fact(EventType.LOG_OPENED, 1, 5, **log),
            fact(EventType.LOG_OPENED, 1, 6, **log),
            fact(EventType.ATTEMPT_ENDED, 1, 7, outcome="lost"),
            fact(EventType.TASK_RETRYING, 1, 7, due_ms=9),
            fact(EventType.ATTEMPT_ASSIGNED, 2, 9),
            fact(EventType.RESULT_REFUSED, 1, 10, reason="an earlier epoch"),
        ]
    )
    assert found == [
        {
            "attempt": 1,
            "shepherd_id": "s",
            "assigned_ms": 2,
            "started_ms": 4,
            "logs": [log],
            "ended_ms": 7,
            "outcome": "lost",
            "next_due_ms": 9,
            "refused": ["an earlier epoch"],
        },
        {"attempt": 2, "shepherd_id": "s", "assigned_ms": 9},
    ]
