"""Whatever the clock does and however many ids are made, they rise, differ, and say what went into them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.model.ids import MAX_DOMAIN_NUMBER, TaskIds, explain, normalize

# From 2001 to 4147 or so: what 48 bits of milliseconds hold, minus room to borrow.
MOMENTS = st.integers(10**12, 2**46)
YEAR_10000_MS = 253_402_300_800_000
"""No id of ours is from then, and dates end there."""
DOMAINS = st.integers(0, 2 * MAX_DOMAIN_NUMBER)


class Clock:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return 0.0


@given(st.lists(st.tuples(MOMENTS, DOMAINS, st.integers(1, 5)), min_size=1, max_size=30))
def test_ids_of_one_domain_rise_however_the_clock_moves(steps: list[tuple[int, int, int]]) -> None:
    clock = Clock()
    ids = TaskIds(clock)
    latest = 0
    before: tuple[int, int] = (0, 0)
    seen: set[str] = set()
    for moment, domain, count in steps:
        clock.ms = moment
        latest = max(latest, moment)
        for _ in range(count):
            task_id = ids.make(domain)
            explained = explain(task_id)
            assert task_id not in seen
            seen.add(task_id)
            assert explained.domain_number == min(domain, MAX_DOMAIN_NUMBER)
            ms = uuid.UUID(task_id).int >> 80
            assert ms == latest, "the latest moment ever seen, never an earlier one"
            assert (ms, explained.counter) > before
            before = (ms, explained.counter)


@given(MOMENTS, st.lists(DOMAINS, min_size=2, max_size=2, unique_by=lambda number: min(number, MAX_DOMAIN_NUMBER)))
def test_ids_of_a_later_millisecond_sort_later_whatever_their_domains(moment: int, domains: list[int]) -> None:
    clock = Clock()
    ids = TaskIds(clock)
    clock.ms = moment
    first = ids.make(domains[0])
    clock.ms = moment + 1
    assert first < ids.make(domains[1])


@given(st.uuids())
def test_a_normal_id_is_normal(value: uuid.UUID) -> None:
    for spelling in (str(value), value.hex, str(value).upper(), value.urn):
        assert normalize(spelling) == str(value)
    assert normalize(normalize(str(value))) == normalize(str(value))


@given(st.uuids(), st.integers(0, 127))
def test_only_version_8_is_explained(value: uuid.UUID, bit: int) -> None:
    changed = uuid.UUID(int=value.int ^ (1 << bit))
    if changed.version == 8 and changed.int >> 80 < YEAR_10000_MS:
        assert explain(str(changed)).task_id == str(changed)
    else:
        with pytest.raises(ValueError, match="version" if changed.version != 8 else "."):
            explain(str(changed))
