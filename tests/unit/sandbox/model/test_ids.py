"""Task ids: their layout, their order, and what can be read from them."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import pytest

from sandbox.model.ids import MAX_DOMAIN_NUMBER, TaskIds, explain, normalize

NOW_MS = 1_763_730_000_123


class Clock:
    """Stands still until it is set."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


def test_an_id_is_a_uuid_of_version_8() -> None:
    task_id = TaskIds(Clock()).make(5)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", task_id)
    value = uuid.UUID(task_id)
    assert (value.version, value.variant) == (8, uuid.RFC_4122)
    assert str(value) == task_id


def test_it_says_time_and_domain() -> None:
    explained = explain(TaskIds(Clock()).make(0x123))
    assert explained.created == datetime(2025, 11, 21, 13, 0, 0, 123_000, UTC)
    assert explained.domain_number == 0x123


def test_ids_of_one_millisecond_rise_by_their_counter() -> None:
    ids = TaskIds(Clock())
    made = [ids.make(1) for _ in range(1000)]
    assert made == sorted(set(made))
    counters = [explain(task_id).counter for task_id in made]
    assert counters == list(range(counters[0], counters[0] + 1000))


def test_a_counter_begins_in_its_lower_half() -> None:
    clock = Clock()
    ids = TaskIds(clock)
    for _ in range(200):
        clock.ms += 1
        assert explain(ids.make(1)).counter < 1 << 21


def test_a_full_counter_borrows_from_the_next_millisecond() -> None:
    ids = TaskIds(Clock())
    last = ids.make(1)
    ids._counter = (1 << 22) - 2
    before, after = ids.make(1), ids.make(1)
    assert last < before < after
    assert explain(before).created.microsecond == 123_000
    assert explain(after).created.microsecond == 124_000


def test_ids_rise_when_the_clock_is_set_back() -> None:
    clock = Clock()
    ids = TaskIds(clock)
    first = ids.make(1)
    clock.ms -= 3_600_000
    second = ids.make(1)
    assert first < second
    assert explain(second).created == explain(first).created


def test_two_makers_at_one_moment_make_different_ids() -> None:
    makers = [TaskIds(Clock()) for _ in range(200)]
    assert len({ids.make(1) for ids in makers}) == 200


@pytest.mark.parametrize("number", [0, 1, MAX_DOMAIN_NUMBER, MAX_DOMAIN_NUMBER + 1, 10**9])
def test_domains_beyond_the_field_share_its_last_number(number: int) -> None:
    assert explain(TaskIds(Clock()).make(number)).domain_number == min(number, MAX_DOMAIN_NUMBER)


@pytest.mark.parametrize(
    "text",
    [
        "019AA6A9-4B7B-8001-8000-0123456789AB",
        "019aa6a94b7b800180000123456789ab",
        "{019aa6a9-4b7b-8001-8000-0123456789ab}",
        "urn:uuid:019aa6a9-4b7b-8001-8000-0123456789ab",
    ],
)
def test_every_spelling_is_one_id(text: str) -> None:
    assert normalize(text) == "019aa6a9-4b7b-8001-8000-0123456789ab"


@pytest.mark.parametrize("text", ["", "x", "019aa6a9", "019aa6a9-4b7b-8001-8000-0123456789zz"])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    for read in (normalize, explain):
        with pytest.raises(ValueError, match=r"badly formed|invalid literal"):
            read(text)


def test_ids_of_others_are_not_explained() -> None:
    with pytest.raises(ValueError, match="version 4"):
        explain(str(uuid.uuid4()))


def test_an_id_dated_after_the_last_year_is_not_explained() -> None:
    last = 253_402_300_799_999
    assert explain(str(uuid.UUID(int=(last << 80) | (0x8 << 76) | (0b10 << 62)))).created.year == 9999
    with pytest.raises(ValueError, match="after the year 9999"):
        explain(str(uuid.UUID(int=((last + 1) << 80) | (0x8 << 76) | (0b10 << 62))))
