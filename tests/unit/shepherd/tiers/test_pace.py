"""How far ahead a warm worker is filled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shepherd.tiers.resident.pace import CAUTIOUS_ATTEMPTS, DEEPEST, Pace


def test_it_begins_with_one() -> None:
    assert Pace().depth == 1


def test_quick_ones_are_sent_many_at_a_time() -> None:
    pace = Pace()
    pace.note(0.001, 10)
    assert pace.depth == DEEPEST


def test_one_slow_one_is_enough_to_go_one_by_one() -> None:
    pace = Pace()
    pace.note(0.001, 10)
    pace.note(0.5, 1)
    assert pace.depth == 1


def test_it_recovers() -> None:
    pace = Pace()
    pace.slow()
    for _ in range(30):
        pace.note(0.0001, 1)
    assert pace.depth > 10


def test_after_a_crash_it_goes_one_by_one_for_a_while() -> None:
    pace = Pace()
    pace.crashed()
    for _ in range(CAUTIOUS_ATTEMPTS):
        pace.note(0.0001, 1)
        assert pace.depth == 1
    pace.note(0.0001, 1)
    assert pace.depth > 1


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 100))))
def test_the_depth_is_always_possible(notes: list[tuple[float, int]]) -> None:
    pace = Pace()
    for busy_s, ended in notes:
        pace.note(busy_s, ended)
        assert 1 <= pace.depth <= DEEPEST
