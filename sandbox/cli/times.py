"""Durations and times as people type and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sandbox.errors import InvalidInput

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
_LONGEST_S = 100 * 365 * 86_400.0


def duration(text: str, option: str) -> float:
    """Seconds of `90`, `1.5s`, `2m`, `1h30m`."""
    found = -1.0
    if _WHOLE.fullmatch(text):
        found = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    elif re.fullmatch(r"\d+(\.\d+)?", text):
        found = float(text)
    if not 0 <= found <= _LONGEST_S:
        raise InvalidInput(f"{option} takes a duration", subject=text, hint=f"{option} 90, {option} 2m, {option} 1h30m")
    return found


def moment(text: str, option: str) -> datetime:
    """A time in ISO 8601; without a zone it is local time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{option} takes a time", subject=text, hint=f"{option} 2030-01-31T08:00, or with a zone: 2030-01-31T08:00Z"
        ) from None
    return found.astimezone() if found.tzinfo is None else found


def span(seconds: float) -> str:
    """A duration in at most two units: `340 ms`, `2.5 s`, `3 min 4 s`, `2 h 5 min`, `4 d 3 h`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, big, small_size, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size} {big}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def age(then_ms: int, now: datetime) -> str:
    """How long ago, in one unit: `12s`, `5m`, `3h`, `2d`."""
    seconds = max(0.0, now.timestamp() - then_ms / 1000)
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def clock(then_ms: int) -> str:
    """A time of day in the local zone, with the date if it isn't today's: `14:03:07.123`."""
    then = datetime.fromtimestamp(then_ms / 1000, UTC).astimezone()
    text = then.strftime("%H:%M:%S.") + f"{then.microsecond // 1000:03d}"
    return text if then.date() == now().astimezone().date() else f"{then:%Y-%m-%d} {text}"


def stamp(then: datetime) -> str:
    """A whole time in UTC with milliseconds, for logs: `2026-11-21T14:03:07.123Z`."""
    return then.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{then.microsecond // 1000:03d}Z"


def now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


def ago(text: str) -> datetime:
    """The time that lies a duration before now."""
    return now() - timedelta(seconds=duration(text, "the age"))
