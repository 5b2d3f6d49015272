from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.telemetry.logs import configure_logging
from sandbox.telemetry.metrics import GAUGES, Metrics


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    server = logging.getLogger("uvicorn")  # another test may have run one with its own idea of logging
    server.handlers, server.propagate = [], True
    server.setLevel(logging.NOTSET)
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def logged(log_format: str) -> io.StringIO:
    stream = io.StringIO()
    configure_logging("orchestrator", log_format, stream=stream)
    return stream


def test_json_has_one_object_a_line_also_for_libraries() -> None:
    stream = logged("json")
    structlog.stdlib.get_logger("x").info("ready", port=1, name="ä")
    logging.getLogger("uvicorn").warning("slow %s", "start")
    logging.getLogger("uvicorn").info("left out")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["port"], first["name"], first["level"]) == ("ready", 1, "ä", "info")
    assert (second["event"], second["level"], second["process"]) == ("slow start", "warning", "orchestrator")
    assert first["timestamp"].endswith("Z")


def test_text_is_for_people_and_shows_no_local_values() -> None:
    stream = logged("text")
    secret = "hunter" + "2"
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.stdlib.get_logger("x").exception("failed", task="a")
    text = stream.getvalue()
    assert "failed" in text
    assert "task=a" in text
    assert "ValueError: 7" in text
    assert "hunter2" not in text
    assert "\x1b" not in text


def test_levels() -> None:
    stream = io.StringIO()
    configure_logging("x", level="error", stream=stream)
    structlog.stdlib.get_logger("x").warning("left out")
    assert stream.getvalue() == ""


def test_metrics_count() -> None:
    metrics = Metrics(lambda: {"tasks_ready": 5.0, "unknown": 1.0})
    metrics.tasks_created(3)
    metrics.task_ended(TaskStatus.TIMED_OUT)
    metrics.attempt_ended(AttemptOutcome.LOST)
    text = metrics.render().decode()
    for line in (
        "azolla_tasks_created_total 3.0",
        'azolla_tasks_ended_total{status="timed-out"} 1.0',
        'azolla_tasks_ended_total{status="succeeded"} 0.0',
        'azolla_attempts_ended_total{outcome="lost"} 1.0',
        "azolla_tasks_ready 5.0",
    ):
        assert line in text.splitlines()
    assert "unknown" not in text


def test_two_orchestrators_do_not_meet() -> None:
    one, two = Metrics(), Metrics()
    one.tasks_created()
    assert b"azolla_tasks_created_total 0.0" in two.render()
    assert all(meaning.endswith(".") for meaning in GAUGES.values())


def test_every_metric_is_documented_and_the_other_way_round() -> None:
    page = (Path(__file__).parents[4] / "docs" / "environments.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(azolla_\w+)", page, re.MULTILINE))
    metrics = Metrics(lambda: dict.fromkeys(GAUGES, 0.0))
    metrics.tasks_created()
    names = set(
        re.findall(r"^# TYPE (\S+) (?!gauge$)\S+$|^# TYPE (\S+) gauge$", metrics.render().decode(), re.MULTILINE)
    )
    there = {name for pair in names for name in pair if name and not name.endswith("_created")}
    assert documented == there
