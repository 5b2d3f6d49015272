from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.config.values import parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("2m", 120),
        ("1.5h", 5400),
        ("7d", 604800),
        (" 3 s ", 3),
        (3, 3),
        (0.25, 0.25),
        ("4", 4),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "s", "1 year", "-1s", "1e3", "٣s", True, -1, 1e18, float("inf")])
def test_no_durations(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@given(st.integers(min_value=0, max_value=10**12))
def test_what_is_shown_is_read_as_the_same(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(show_duration(value)) == value
