"""What is said to a warm worker."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson

from logsinks.identity import AttemptIdentity
from shepherd.tiers.resident.frames import HOST, AttemptFrames, cancel
from tests.support.tiers import order_for


def message(frame: bytes) -> dict[str, object]:
    assert int.from_bytes(frame[:4], "little") == len(frame) - 4
    return orjson.loads(frame[4:])


def test_the_identity_is_what_the_log_library_reads() -> None:
    order = order_for(Path("m.py"), "f", 1)
    order.assignment.labels = {"k": "v"}
    (frame,) = AttemptFrames("me").make([order], 1_700_000_000_123)
    identity = AttemptIdentity.from_json(str(message(frame)["identity"]))
    assert identity == AttemptIdentity(
        task_id=order.assignment.task_id,
        attempt=1,
        task_name="f",
        domain="default",
        queue="default",
        shepherd="me",
        host=HOST,
        started=datetime.fromtimestamp(1_700_000_000.123, UTC),
        labels={"k": "v"},
    )


def test_the_deadline_counts_from_now() -> None:
    order = order_for(Path("m.py"), "f", time_limit_s=2.5)
    (frame,) = AttemptFrames("me").make([order], 1_000)
    assert message(frame)["deadline_ms"] == 3_500


def test_a_cancel_names_the_attempt() -> None:
    order = order_for(Path("m.py"), "f")
    assert message(cancel(order)) == {"t": "cancel", "key": order.key}
