"""Logs, events, upkeep, the description, and who may ask."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import orjson
import pytest

from logsinks.record import Stream
from tests.unit.sandbox.api.fake_services import FakeServices, record


@pytest.fixture
async def task(services: FakeServices) -> str:
    return services.tasks.add(record(1)).task_id


async def test_logs_as_lines(http: httpx.AsyncClient, task: str) -> None:
    answer = await http.get(f"/v1/tasks/{task}/logs")
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [(line["attempt"], line["stream"], line["offset"]) for line in lines] == [
        (1, "stdout", 0),
        (1, "stderr", 6),
        (1, "stdout", 12),
        (2, "stdout", 0),
    ]
    assert (lines[0]["text"], lines[2]["base64"]) == ("hello\n", "/xtdMDt4B3Jhdwo=")


async def test_logs_as_bytes(http: httpx.AsyncClient, services: FakeServices, task: str) -> None:
    answer = await http.get(f"/v1/tasks/{task}/logs?format=raw")
    assert answer.content == b"hello\noh no\n\xff\x1b]0;x\x07raw\nagain\n"
    assert services.logs.queries[0][0].whole_lines is False


async def test_log_query_arrives(http: httpx.AsyncClient, services: FakeServices, task: str) -> None:
    await http.get(
        f"/v1/tasks/{task}/logs?attempt=2&stream=err&tail=5&since=2030-01-01T00:00:00Z&grep=a.b&from=local&follow=true"
    )
    [(query, sink)] = services.logs.queries
    assert (query.attempt, query.stream, query.tail, query.grep, query.follow) == (2, Stream.ERR, 5, "a.b", True)
    assert query.since is not None
    assert (query.since.year, sink) == (2030, "local")


async def test_no_log_is_a_problem_unless_followed(http: httpx.AsyncClient, services: FakeServices, task: str) -> None:
    services.logs.entries.clear()
    answer = await http.get(f"/v1/tasks/{task}/logs")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found.log")
    followed = await http.get(f"/v1/tasks/{task}/logs?follow=true")
    assert (followed.status_code, orjson.loads(followed.text)["error"]["code"]) == (200, "not-found.log")


async def test_a_stream_that_breaks_says_so_at_its_end(
    http: httpx.AsyncClient, services: FakeServices, task: str
) -> None:
    services.logs.break_after = 2
    lines = (await http.get(f"/v1/tasks/{task}/logs")).text.splitlines()
    assert orjson.loads(lines[1])["text"] == "oh no\n"
    assert orjson.loads(lines[2])["error"]["code"] == "internal"


async def test_wrong_patterns_are_refused(http: httpx.AsyncClient, task: str) -> None:
    answer = await http.get(f"/v1/tasks/{task}/logs", params={"grep": "("})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input.filter")


async def test_logs_of_an_unknown_task(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/tasks/ab/logs")).status_code == 404


async def test_events(http: httpx.AsyncClient, services: FakeServices, task: str) -> None:
    services.tasks.end(task)
    lines = [orjson.loads(line) for line in (await http.get("/v1/events?after=1")).text.splitlines()]
    assert [line["type"] for line in lines] == ["attempt-assigned", "attempt-ended", "task-ended"]
    assert len((await http.get("/v1/events?limit=2")).text.splitlines()) == 2
    assert len((await http.get("/v1/events?last=1")).text.splitlines()) == 1
    assert (await http.get("/v1/events?after=-1")).text == ""
    assert (await http.get("/v1/events?after=1&last=1")).status_code == 422


async def test_events_for_browsers_and_their_reconnects(
    http: httpx.AsyncClient, services: FakeServices, task: str
) -> None:
    services.tasks.end(task)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "3"}
    answer = await http.get("/v1/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    identity, event, data = answer.text.strip().splitlines()
    assert (identity, event) == ("id: 4", "event: task-ended")
    assert orjson.loads(data.removeprefix("data: "))["seq"] == 4
    assert (await http.get("/v1/events", headers=headers | {"Last-Event-ID": "x"})).status_code == 422


async def test_sql(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/sql", json={"statement": "select 1"})
    assert answer.json() == {
        "columns": ["name", "n"],
        "rows": [["add", 2], [None, {"base64": "AA=="}]],
        "truncated": False,
    }
    assert (await http.post("/v1/sql", json={"statement": "select 1", "limit": 0})).status_code == 422
    assert (await http.post("/v1/sql", json={"statement": "select 1", "limt": 5})).json()[
        "hint"
    ] == "did you mean 'limit'?"


async def test_upkeep(http: httpx.AsyncClient, services: FakeServices) -> None:
    assert (await http.get("/v1/status")).json()["name"] == "default"
    assert (await http.get("/v1/shepherds")).json()["shepherds"][0]["name"] == "local"
    assert (await http.get("/v1/domains")).json() == {"domains": [{"name": "default", "tasks": {"succeeded": 0}}]}
    definitions = (await http.get("/v1/definitions")).json()
    assert (definitions["definitions"][0]["name"], definitions["problems"]) == (
        "add",
        ["/tasks/broken.task:3: no such key"],
    )
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).status_code == 200
    services.upkeep.is_ready = False
    assert (await http.get("/readyz")).status_code == 503
    assert "azolla_tasks_unended 7.0" in (await http.get("/metrics")).text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:52711", "[::1]:8080", "127.8.8.8", "azolla.localhost:1"])
async def test_loopback_names_are_answered(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[", "127.0.0.1.evil.example"]
)
async def test_other_names_are_refused(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.get("/healthz", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "refused.not-allowed")


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:3000", 200), ("https://evil.example", 403), ("null", 403)]
)
async def test_pages_of_other_sites_are_refused(http: httpx.AsyncClient, origin: str, status: int) -> None:
    answer = await http.get("/healthz", headers={"Origin": origin})
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_description_covers_bodies_that_are_read_by_hand(http: httpx.AsyncClient) -> None:
    found = (await http.get("/openapi.json")).json()
    batch = found["paths"]["/v1/tasks:batch"]["post"]
    assert set(batch["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
    references = {text for text in orjson.dumps(found).decode().split('"') if text.startswith("#/components/schemas/")}
    missing = {text for text in references if text.rpartition("/")[2] not in found["components"]["schemas"]}
    assert references
    assert missing == set()
    assert "application/problem+json" in batch["responses"]["default"]["content"]


async def test_the_page_about_the_api_has_every_path(http: httpx.AsyncClient) -> None:
    page = (Path(__file__).parents[4] / "docs" / "http-api.md").read_text()
    written = set(re.findall(r"^\| `(GET|POST) (\S+)` \|", page, re.MULTILINE))
    paths = (await http.get("/openapi.json")).json()["paths"]
    served = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert written == served
