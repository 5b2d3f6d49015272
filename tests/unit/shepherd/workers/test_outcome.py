from __future__ import annotations

import json

import pytest

from shepherd.workers import outcome
from shepherd.workers.outcome import asked_for_retry, failed, succeeded, well_formed


def test_a_result_that_is_no_unicode() -> None:
    assert succeeded('"\ud800"')["error"]["type"] == "ResultNotSerializable"


def test_a_result_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "LARGEST_RESULT_BYTES", 10)
    assert succeeded('"12345678"')["outcome"] == "succeeded"
    assert succeeded('"123456789"')["error"]["type"] == "ResultTooLarge"
    assert succeeded('"éééééé"')["error"]["type"] == "ResultTooLarge"


def test_a_failure_can_always_be_sent() -> None:
    error = failed("E\ud800", "m\udcff" + "x" * 100_000, data={"a": object()})["error"]
    assert error["type"] == "E?"
    assert len(error["message"]) < 70_000
    assert "unavailable" in json.loads(error["data_json"])
    json.dumps(error).encode()


def test_asking_for_a_retry() -> None:
    asked = asked_for_retry("busy", 5)
    assert (asked["outcome"], asked["retry"], asked["retry_after_s"]) == ("failed", True, 5)
    assert asked["error"]["retriable"] is True


def test_well_formed_text_stays() -> None:
    assert well_formed("é€😀") == "é€😀"
