from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from shepherd.definitions import DefinitionKind, ServiceSettings, TaskDefinition
from shepherd.definitions.definition import digest_of


def definition(*, retry_on: tuple[str, ...] = (), **service: Any) -> TaskDefinition:
    return TaskDefinition(
        name="a",
        kind=DefinitionKind.EXECUTABLE,
        source=Path("a"),
        retry_on=retry_on,
        service=ServiceSettings(**service),
    )


def policy(made: TaskDefinition) -> RetryPolicy:
    text = made.retry_policy_json()
    assert text is not None
    return RetryPolicy.from_json(text)


def test_nothing_said_about_retries() -> None:
    assert definition(max_time=5.0).retry_policy_json() is None


def test_retries_are_attempts_after_the_first() -> None:
    made = policy(definition(restart=3, retry_delay=2.0))
    assert (made.max_attempts, made.strategy, made.delay) == (4, WaitStrategy.FIXED, 2.0)
    assert made.retries_error("Whatever")
    assert not made.retries_error("BadArguments")


def test_no_retries() -> None:
    assert policy(definition(restart=0)).max_attempts == 1


def test_without_end() -> None:
    assert policy(definition(restart=-1)).max_attempts is None


@pytest.mark.parametrize(("error", "again"), [("KeyError", True), ("ValueError", False)])
def test_named_errors_alone(error: str, again: bool) -> None:
    made = policy(definition(retry_on=("KeyError",)))
    assert made.retries_error(error) is again
    assert made.max_attempts == 5


def test_the_form_is_azollas() -> None:
    assert json.loads(definition(restart=1, retry_delay=0.5).retry_policy_json() or "") == {
        "version": 1,
        "stop": {"max_attempts": 2, "max_delay": None},
        "wait": {"strategy": "fixed", "delay": 0.5},
        "retry": {"include_errors": ["TaskError"], "exclude_errors": ["BadArguments"]},
    }


def test_a_digest_tells_where_one_file_ends() -> None:
    assert digest_of(b"ab", b"c") != digest_of(b"a", b"bc")
