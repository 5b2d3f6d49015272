"""Results are kept until they are acknowledged."""

from __future__ import annotations

import asyncio

import pytest

from shepherd.link import outbox as outbox_module
from shepherd.link.outbox import Outbox
from shepherd.wire.payload import End, Outcome


class Box:
    def __init__(self) -> None:
        self.woken = 0
        self.box = Outbox(self.wake)

    def wake(self) -> None:
        self.woken += 1

    def put(self, *names: str) -> None:
        for name in names:
            self.box.put(name, 1, End(outcome=Outcome.SUCCEEDED))

    def next(self) -> tuple[int, list[str]] | None:
        batch = self.box.next_batch()
        return None if batch is None else (batch.sequence, [result.task_id for result in batch.results])


@pytest.fixture
def box() -> Box:
    return Box()


def test_an_empty_box_has_nothing_to_send(box: Box) -> None:
    assert box.next() is None


def test_what_came_together_goes_together(box: Box) -> None:
    box.put("a", "b")
    assert box.woken == 2
    assert box.next() == (1, ["a", "b"])
    assert box.next() is None


def test_a_batch_is_repeated_after_a_reconnect_until_it_is_acknowledged(box: Box) -> None:
    box.put("a")
    assert box.next() == (1, ["a"])
    box.put("b")
    assert box.next() == (2, ["b"])
    box.put("c")
    box.box.reconnected()
    assert [box.next(), box.next(), box.next(), box.next()] == [(1, ["a"]), (2, ["b"]), (3, ["c"]), None]
    assert box.box.acknowledged(2) == [("a", 1), ("b", 1)]
    box.box.reconnected()
    assert [box.next(), box.next()] == [(3, ["c"]), None]


def test_an_acknowledgement_between_repeats_skips_none(box: Box) -> None:
    for name in "abc":
        box.put(name)
        box.next()
    box.box.reconnected()
    assert box.next() == (1, ["a"])
    assert box.box.acknowledged(1) == [("a", 1)]
    assert [box.next(), box.next(), box.next()] == [(2, ["b"]), (3, ["c"]), None]


def test_an_acknowledgement_of_what_waits_to_be_repeated_counts(box: Box) -> None:
    for name in "abc":
        box.put(name)
        box.next()
    box.box.reconnected()
    assert box.box.acknowledged(2) == [("a", 1), ("b", 1)]
    assert [box.next(), box.next()] == [(3, ["c"]), None]


def test_all_that_is_in_it_stands(box: Box) -> None:
    box.put("a")
    box.next()
    box.put("b")
    assert list(box.box.standing()) == [("a", 1), ("b", 1)]
    box.box.acknowledged(1)
    assert list(box.box.standing()) == [("b", 1)]


def test_what_is_refused_is_sent_no_more(box: Box) -> None:
    box.put("a", "b")
    box.next()
    box.put("c", "d")
    box.box.reconnected()
    box.box.forget({("a", 1), ("d", 1)})
    assert [box.next(), box.next()] == [(1, ["b"]), (2, ["c"])]


def test_a_batch_has_a_bound(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST_RESULTS", 2)
    box.put("a", "b", "c")
    assert [box.next(), box.next()] == [(1, ["a", "b"]), (2, ["c"])]


def test_large_results_go_in_batches_of_their_own(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST_BYTES", 100)
    for name in "ab":
        box.box.put(name, 1, End(outcome=Outcome.SUCCEEDED, result_json=f'"{"x" * 200}"'))
    assert [box.next(), box.next()] == [(1, ["a"]), (2, ["b"])]


def test_one_by_one_for_who_acknowledges_nothing(box: Box) -> None:
    box.put("a", "b")
    box.next()
    box.put("c")
    box.box.reconnected()
    singles = [box.box.next_single() for _ in range(4)]
    assert [each.task_id if each else None for each in singles] == ["a", "b", "c", None]


async def test_emptied_waits_for_the_last_acknowledgement(box: Box) -> None:
    await asyncio.wait_for(box.box.emptied(), 1)
    box.put("a")
    box.next()
    waiting = asyncio.ensure_future(box.box.emptied())
    await asyncio.sleep(0)
    assert not waiting.done()
    box.box.acknowledged(1)
    await asyncio.wait_for(waiting, 1)
