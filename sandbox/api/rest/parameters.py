"""Query parameters that take more than a type: times, ages, statuses, labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fastapi import Request

from sandbox.errors import BadFilter
from sandbox.model.status import TaskStatus

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
_AGE_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_STATUS_GROUPS = {
    "unfinished": [status for status in TaskStatus if not status.ended],
    "ended": [status for status in TaskStatus if status.ended],
    "unsuccessful": [status for status in TaskStatus if status.ended and status is not TaskStatus.SUCCEEDED],
}


def time_of(text: str | None, name: str, now: datetime) -> datetime | None:
    """A time in ISO 8601 (with its zone), in Unix milliseconds, or an age such as `5m` or `1h30m` before `now`."""
    if not text:
        return None
    if _AGE.fullmatch(text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _AGE_PART.findall(text))
        try:
            return now - timedelta(seconds=seconds)
        except OverflowError:
            raise _bad_time(text, name) from None
    try:
        found = datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise _bad_time(text, name) from None
    if found.tzinfo is None:
        raise BadFilter(f"{name} must say its zone", subject=text, hint=f"{text}Z is that time in UTC")
    return found


def milliseconds(time: datetime | None) -> int | None:
    """A time as the store keeps it."""
    return None if time is None else round(time.timestamp() * 1000)


def statuses(words: Sequence[str]) -> tuple[TaskStatus, ...]:
    """Statuses by their words, separated by commas or given several times; groups such as `unfinished` too."""
    found: dict[TaskStatus, None] = {}
    for word in (part.strip() for given in words for part in given.split(",")):
        if not word:
            continue
        if word in _STATUS_GROUPS:
            found |= dict.fromkeys(_STATUS_GROUPS[word])
            continue
        try:
            found[TaskStatus.from_word(word)] = None
        except KeyError:
            known = ", ".join([status.word for status in TaskStatus] + list(_STATUS_GROUPS))
            raise BadFilter("There is no such status", subject=word, hint=f"there are {known}") from None
    return tuple(found)


def labels(given: Sequence[str]) -> dict[str, str]:
    """Labels as `key=value`, each given for itself."""
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise BadFilter("A label is given as key=value", subject=text)
        found[key] = value
    return found


def wants(request: Request, media_type: str) -> bool:
    """Whether the client asks for that kind of answer."""
    return media_type in request.headers.get("accept", "")


def _bad_time(text: str, name: str) -> BadFilter:
    return BadFilter(
        f"{name} is neither a time nor an age", subject=text, hint="give 2030-01-31T08:00:00Z, or 5m, 1h30m, 2d"
    )
