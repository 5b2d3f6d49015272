from __future__ import annotations

import pytest

from shepherd.definitions import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512M", 512 * 1024**2),
        ("1G", 1024**3),
        ("1.5G", 3 * 1024**3 // 2),
        ("1GiB", 1024**3),
        ("10kb", 10_240),
        ("0", 0),
        ("300", 300),
        ("infinity", None),
        ("Never", None),
    ],
)
def test_sizes_count_in_1024s(text: str, expected: int | None) -> None:
    assert units.size_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2s", 2),
        ("2m", 120),
        ("1h30m", 5400),
        ("1h 30min", 5400),
        ("500ms", 0.5),
        ("90", 90),
        ("2d", 172_800),
        ("infinity", None),
    ],
)
def test_times_are_seconds(text: str, expected: float | None) -> None:
    assert units.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "5X", "1,5G", "1e3", "99999P", "½G"])
def test_what_is_no_size_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="a size"):
        units.size_bytes(text)


@pytest.mark.parametrize("text", ["", "soon", "-2s", "2x", "1h-3m", "400d"])
def test_what_is_no_time_says_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="a time"):
        units.seconds(text)


def test_counts() -> None:
    assert units.whole("12") == 12
    assert units.whole("unlimited") is None
    for text in ("", "1.5", "-3", "²", "9" * 40):
        with pytest.raises(ValueError, match="whole number"):
            units.whole(text)


def test_processors() -> None:
    assert units.processors("1") == 1
    assert units.processors("50%") == 0.5
    assert units.processors("infinity") is None
    for text in ("0", "-1", "nan", "two", ""):
        with pytest.raises(ValueError, match="processors"):
            units.processors(text)


def test_flags() -> None:
    assert units.flag("Yes")
    assert not units.flag("off")
    with pytest.raises(ValueError, match="yes or no"):
        units.flag("maybe")
