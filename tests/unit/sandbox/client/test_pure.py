"""The parts without I/O: requests, errors, lines, patience, positions, addresses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from sandbox import errors
from sandbox.client import requests
from sandbox.client.address import find_grpc, find_url, state_root
from sandbox.client.faults import error_of, error_of_problem, kind_of
from sandbox.client.records import LogEntry
from sandbox.client.requests import LineSplitter
from sandbox.client.submission import Submission
from sandbox.client.waiting import PATIENCE_S, Deadline, LogPosition, Patience
from sandbox.errors import OrchestratorUnreachable
from sandbox.model.retry_policy import RetryPolicy

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_only_what_was_given_is_sent() -> None:
    assert Submission(name="add").to_object() == {"name": "add"}
    whole = Submission(
        name="add",
        args=[1],
        kwargs={"a": 2},
        domain="d",
        queue="q",
        priority=1,
        timeout=timedelta(minutes=1),
        delay=2,
        retry_policy=RetryPolicy(max_attempts=3),
        labels={"l": "m"},
        key="k",
    ).to_object(NOW)
    assert whole["retry_policy"]["stop"]["max_attempts"] == 3
    assert (whole["timeout"], whole["not_before"]) == (60.0, 1_893_456_002_000)
    assert whole["idempotency_key"] == "k"


def test_retry_policies_are_checked_here() -> None:
    with pytest.raises(errors.InvalidInput, match="max_attempts must be at least 1"):
        Submission(name="a", retry_policy={"stop": {"max_attempts": 0}}).to_object()


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(errors.InvalidInput, match="zone"):
        Submission(name="a", not_before=datetime(2030, 1, 1)).to_object()  # noqa: DTZ001 - the mistake that is meant


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert requests.get("../sql?x=1").request.path == "/v1/tasks/..%2Fsql%3Fx%3D1"
    assert requests.get("").request.path == "/v1/tasks/-"


def test_every_error_class_comes_back_as_itself() -> None:
    def all_kinds(root: type[errors.SandboxError]) -> list[type[errors.SandboxError]]:
        return [root, *(found for kind in root.__subclasses__() for found in all_kinds(kind))]

    for kind in all_kinds(errors.SandboxError):
        if kind.__module__ == "sandbox.errors":
            assert type(error_of(kind.code, "w", why="a\nb")) is kind
    config = error_of("invalid-input.config", "w", why="a\nb")
    assert isinstance(config, errors.BadConfig)
    assert config.problems == ("a", "b")


def test_codes_of_later_versions_count_as_their_branch() -> None:
    assert kind_of("not-found.flow.of.the.future") is errors.NotFound
    assert kind_of("brand-new") is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"code":"not-found.task","title":"t","retry_after":null}', errors.TaskNotFound),
        (502, b"<html>", errors.Unavailable),
        (404, b"<html>", errors.InternalError),
        (418, b'{"error":"teapot"}', errors.InternalError),
    ],
)
def test_answers_that_are_errors(status: int, body: bytes, kind: type[errors.SandboxError]) -> None:
    assert type(error_of_problem(status, body)) is kind


def test_retry_after_travels() -> None:
    body = orjson.dumps({"code": "refused.overloaded", "title": "t", "retry_after": 2.5})
    assert error_of_problem(429, body).retry_after == 2.5


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_survive_any_cut(size: int) -> None:
    whole = b"first\n\nsecond\nthird\n"
    lines = LineSplitter()
    found = [line for at in range(0, len(whole), size) for line in lines.feed(whole[at : at + size])]
    lines.end()
    assert found == [b"first", b"second", b"third"]


def test_a_line_that_breaks_off_is_an_error() -> None:
    lines = LineSplitter()
    assert list(lines.feed(b"a\nb")) == [b"a"]
    with pytest.raises(OrchestratorUnreachable):
        lines.end()


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_deadline() -> None:
    time = Time()
    assert Deadline(None, time).next_poll() == 60.0
    deadline = Deadline(90, time)
    assert (deadline.next_poll(), deadline.over) == (60.0, False)
    time.now += 50
    assert deadline.next_poll() == 40.0
    time.now += 50
    assert (deadline.left(), deadline.over) == (0.0, True)


def test_patience_is_for_those_who_have_answered() -> None:
    time, lost = Time(), OrchestratorUnreachable("gone")
    patience = Patience(time)
    with pytest.raises(OrchestratorUnreachable):
        patience.pause(lost)
    patience.answered()
    pauses = [patience.pause(lost) for _ in range(10)]
    assert all(0 < pause <= 2.0 for pause in pauses)
    time.now += PATIENCE_S + 1
    with pytest.raises(OrchestratorUnreachable):
        patience.pause(lost)
    patience.answered()
    assert patience.pause(lost) > 0


def entry(offset: int, data: bytes, attempt: int = 1, stream: str = "stdout") -> LogEntry:
    return LogEntry(attempt=attempt, stream=stream, time=NOW, offset=offset, data=data, partial=False, raw={})


def test_a_log_that_is_read_again_gives_nothing_twice() -> None:
    position = LogPosition()
    first = [entry(0, b"abc\n"), entry(4, b"de")]
    assert [position.new_part(one) for one in first] == first
    assert position.new_part(entry(0, b"abc\n")) is None
    rest = position.new_part(entry(4, b"def\n"))
    assert rest is not None
    assert (rest.offset, rest.data) == (6, b"f\n")
    assert position.new_part(entry(0, b"x\n", attempt=2)) is not None
    assert position.new_part(entry(8, b"late\n", attempt=1)) is None


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (find_url(), find_grpc()) == ("http://127.0.0.1:52711", "127.0.0.1:52710")
    assert find_url("127.0.0.1:99/") == "http://127.0.0.1:99"
    with pytest.raises(errors.InvalidInput):
        find_url("ftp://x")
    monkeypatch.setenv("AZOLLA_LOCAL_URL", "http://127.0.0.1:7")
    assert find_url() == "http://127.0.0.1:7"
    folder = state_root() / "other"
    folder.mkdir(parents=True)
    Path(folder / "environment.json").write_text(json.dumps({"http": "127.0.0.1:5001", "grpc": "127.0.0.1:5002"}))
    assert (find_url(env="other"), find_grpc("other")) == ("http://127.0.0.1:5001", "127.0.0.1:5002")


def test_another_environment_is_never_taken_for_the_one_that_was_asked_for() -> None:
    with pytest.raises(errors.EnvironmentNotFound):
        find_url(env="other")
    folder = state_root() / "other"
    folder.mkdir(parents=True)
    with pytest.raises(errors.OrchestratorUnreachable):
        find_grpc("other")
    record = folder / "environment.json"
    record.write_text("{")
    with pytest.raises(errors.OrchestratorUnreachable):
        find_url(env="other")
    assert find_url() == "http://127.0.0.1:52711"
    record.write_text(json.dumps({"http": "127.0.0.1:52711", "grpc": "127.0.0.1:5002"}))
    with pytest.raises(errors.EnvironmentNotFound, match="the environment other"):
        find_url()
    assert find_grpc() == "127.0.0.1:52710"
