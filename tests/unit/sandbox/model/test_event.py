"""Events: one class a fact, numbers that never change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from sandbox.model import event as module
from sandbox.model.clock import SystemClock
from sandbox.model.event import Event, EventType, TaskCreated

CLASSES = [
    kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


def test_the_numbers_never_change() -> None:
    assert {kind.name: int(kind) for kind in EventType} == {
        "TASK_CREATED": 1,
        "TASK_ENDED": 3,
        "ATTEMPT_STARTED": 4,
        "ATTEMPT_ENDED": 5,
        "SHEPHERD_CONNECTED": 6,
        "ATTEMPT_ASSIGNED": 7,
        "TASK_RETRYING": 8,
        "TASK_CANCEL_REQUESTED": 9,
        "SHEPHERD_LOST": 10,
        "SHEPHERD_LEFT": 11,
        "RESULT_REFUSED": 12,
        "TASK_EVENT_PUBLISHED": 13,
        "ORCHESTRATOR_STARTED": 14,
        "LOG_OPENED": 15,
        "FLOW_EVENT_PUBLISHED": 16,
    }


def test_each_class_has_a_type_of_its_own_named_like_it() -> None:
    assert len({kind.type for kind in CLASSES}) == len(CLASSES)
    for kind in CLASSES:
        assert kind.type.name.replace("_", "").lower() == kind.__name__.lower()


def test_words() -> None:
    assert EventType.ATTEMPT_ENDED.word == "attempt-ended"


def test_facts_do_not_change() -> None:
    created = TaskCreated(time_ms=1, name="n", queue="q")
    with pytest.raises(FrozenInstanceError):
        created.name = "other"  # type: ignore[misc]
    assert created == TaskCreated(time_ms=1, name="n", queue="q")
    assert not hasattr(created, "__dict__")


def test_the_clocks_of_the_machine() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_600_000_000_000
    first = clock.monotonic()
    assert clock.monotonic() >= first
