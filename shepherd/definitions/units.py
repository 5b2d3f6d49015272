"""Sizes, times and counts as people write them in task files: `512M`, `1h30m`, `infinity`.

The rules are systemd's: sizes count in 1024s, a bare time is in seconds, `m` is a minute. Each reader raises
ValueError whose text is what was expected, so that a problem can say it.
"""

from __future__ import annotations

import math
import re

SIZE_EXPECTED = "a size such as 512M, 1.5G or infinity"
TIME_EXPECTED = "a time such as 90, 500ms, 2m, 1h30m or infinity"
COUNT_EXPECTED = "a whole number, 0 or more, or infinity"
CPU_EXPECTED = "a number of processors such as 1, 0.5 or 50%, or infinity"
FLAG_EXPECTED = "yes or no"

ENDLESS = frozenset({"infinity", "inf", "never", "none", "unlimited", "off"})
"""Words for "no limit"."""

_POWERS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([kmgtp]?)(?:i?b)?", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zµμ]*)\s*", re.IGNORECASE)

_SECONDS = {
    1e-6: ("us", "usec", "µs", "μs"),
    1e-3: ("ms", "msec"),
    1.0: ("", "s", "sec", "second", "seconds"),
    60.0: ("m", "min", "minute", "minutes"),
    3600.0: ("h", "hr", "hour", "hours"),
    86_400.0: ("d", "day", "days"),
    604_800.0: ("w", "week", "weeks"),
}
_BY_UNIT = {name: seconds for seconds, names in _SECONDS.items() for name in names}

LONGEST_S = 366 * 86_400.0
"""More than a year is a mistake, or meant as infinity."""

LARGEST_BYTES = 1 << 60


def size_bytes(text: str) -> int | None:
    """A size in bytes; None for no limit."""
    text = text.strip()
    if text.casefold() in ENDLESS:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(SIZE_EXPECTED)
    number = float(found[1]) * 1024 ** _POWERS[found[2].casefold()]
    if number > LARGEST_BYTES:
        raise ValueError("a size below 1024P, or infinity")
    return round(number)


def seconds(text: str) -> float | None:
    """A time in seconds; None for no limit."""
    text = text.strip()
    if text.casefold() in ENDLESS:
        return None
    total = 0.0
    at = 0
    while at < len(text):
        found = _TIME.match(text, at)
        unit = None if found is None else _BY_UNIT.get(found[2].casefold())
        if found is None or unit is None:
            raise ValueError(TIME_EXPECTED)
        total += float(found[1]) * unit
        at = found.end()
    if not text:
        raise ValueError(TIME_EXPECTED)
    if total > LONGEST_S:
        raise ValueError("a time of at most a year, or infinity")
    return total


def whole(text: str) -> int | None:
    """A count; None for no limit."""
    text = text.strip()
    if text.casefold() in ENDLESS:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise ValueError(COUNT_EXPECTED)
    return int(text)


def processors(text: str) -> float | None:
    """How many processors' worth of time: `50%` is half of one; None for no limit."""
    text = text.strip()
    if text.casefold() in ENDLESS:
        return None
    share = text.endswith("%")
    try:
        number = float(text.removesuffix("%").strip()) / (100 if share else 1)
    except ValueError:
        raise ValueError(CPU_EXPECTED) from None
    if not 0 < number < math.inf:
        raise ValueError(CPU_EXPECTED)
    return number


def flag(text: str) -> bool:
    """Yes or no, in systemd's spellings."""
    word = text.strip().casefold()
    if word in {"yes", "true", "on", "1"}:
        return True
    if word in {"no", "false", "off", "0"}:
        return False
    raise ValueError(FLAG_EXPECTED)
