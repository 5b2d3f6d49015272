"""What of an event goes into the metadata column."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from sandbox.model import event as facts
from sandbox.model.event import AttemptEnded, Event, TaskCreated, TaskEnded
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.store.metadata import METADATA

CLASSES = [
    kind for kind in vars(facts).values() if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]
SHARED = {field.name for field in fields(Event)}


def filled(kind: type[Event]) -> tuple[Event, dict[str, Any]]:
    """An event of which every field differs from its default, and what should be kept of it."""
    given: dict[str, Any] = {"time_ms": 1}
    expected: dict[str, Any] = {}
    for number, field in enumerate(fields(kind), start=3):
        if field.name in SHARED:
            continue
        match str(field.type):
            case "AttemptOutcome":
                given[field.name], expected[field.name] = AttemptOutcome.HANDED_BACK, "handed-back"
            case "TaskStatus":
                given[field.name], expected[field.name] = TaskStatus.TIMED_OUT, "timed-out"
            case text if text.startswith("int"):
                given[field.name] = expected[field.name] = number
            case _:
                given[field.name] = expected[field.name] = f"text {number}"
    return kind(**given), expected


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_field_of_every_class_is_kept(kind: type[Event]) -> None:
    event, expected = filled(kind)
    assert (METADATA[kind](event) or {}) == expected


def test_every_class_has_a_maker() -> None:
    assert set(METADATA) == set(CLASSES)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (TaskCreated(time_ms=1, name="n", queue="q"), {"name": "n", "queue": "q"}),
        (AttemptEnded(time_ms=1, outcome=AttemptOutcome.SUCCEEDED), {"outcome": "succeeded"}),
        (
            AttemptEnded(time_ms=1, outcome=AttemptOutcome.FAILED, exit_code=0, signal=0),
            {"outcome": "failed", "exit_code": 0, "signal": 0},
        ),
        (TaskEnded(time_ms=1, status=TaskStatus.DEAD), {"status": "dead"}),
        (facts.AttemptAssigned(time_ms=1), None),
        (facts.ShepherdLeft(time_ms=1), None),
    ],
)
def test_defaults_are_left_out(event: Event, expected: dict[str, Any] | None) -> None:
    assert METADATA[type(event)](event) == expected
