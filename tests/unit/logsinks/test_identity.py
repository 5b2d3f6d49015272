from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from logsinks.errors import IdentityError
from logsinks.identity import AttemptIdentity


def identity(**changes: object) -> AttemptIdentity:
    fields: dict[str, object] = {
        "task_id": "t",
        "attempt": 2,
        "task_name": "näme",
        "domain": "d",
        "queue": "q",
        "shepherd": "s",
        "host": "h",
        "started": datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC),
        "labels": {"team": "x"},
    }
    return AttemptIdentity(**(fields | changes))  # type: ignore[arg-type]


def test_json_and_back_is_the_same():
    assert AttemptIdentity.from_json(identity().to_json()) == identity()


def test_another_zone_is_the_same_moment():
    zone = timezone(timedelta(hours=5, minutes=30))
    there = AttemptIdentity.from_json(
        identity(started=datetime(2026, 3, 14, 20, 39, 26, 535897, tzinfo=zone)).to_json()
    )
    assert there.started == identity().started
    assert there.started.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"{", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "object"),
        (b"{}", "no attempt"),
        (b'{"task_id":"t","attempt":0,"started":"2026-01-01T00:00:00Z"}', "no attempt"),
        (b'{"task_id":"t","attempt":true,"started":"2026-01-01T00:00:00Z"}', "no attempt"),
        (b'{"task_id":7,"attempt":1,"started":"2026-01-01T00:00:00Z"}', "text"),
        (b'{"task_id":"t","attempt":1,"started":"yesterday"}', "field"),
        (b'{"task_id":"t","attempt":1,"started":"2026-01-01T00:00:00"}', "time zone"),
        (b'{"task_id":"t","attempt":1,"started":"2026-01-01T00:00:00Z","labels":[1]}', "object"),
    ],
)
def test_what_is_no_identity_is_refused(text: bytes, word: str):
    with pytest.raises(IdentityError, match=word):
        AttemptIdentity.from_json(text)
