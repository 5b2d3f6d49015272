"""Kinds of values that several settings share: durations, folders, addresses, lists."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, cast

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> object:
    """A number of seconds, or text such as `500ms`, `10s`, `2m`, `1h`, `7d`, as timedelta. Other types pass through."""
    if isinstance(value, bool):
        raise ValueError("expected a duration such as 10s or 2m")
    if isinstance(value, int | float):
        return _seconds(float(value))
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("expected a duration such as 500ms, 10s, 2m or 1h")
        return _seconds(float(match[1]) * _SECONDS[match[2] or ""])
    return value


def _seconds(seconds: float) -> timedelta:
    if seconds < 0:
        raise ValueError("a duration can't be negative")
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError("a duration can't be that long") from None


def show_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads as the same: `10s`, `2m`, `500ms`."""
    milliseconds = round(value / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def _check_loopback(value: str) -> str:
    if value == "localhost":
        return value
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("expected an address of this machine, such as 127.0.0.1") from None
    if not address.is_loopback:
        raise ValueError(
            "only loopback addresses are served: nothing is encrypted and nobody is asked who they are yet, "
            "so that any machine that reaches the port could start programs here; use 127.0.0.1"
        )
    if address.version != 4:
        raise ValueError("the loopback of IPv6 isn't served; use 127.0.0.1")
    return value


def _split_at(separator: str) -> Callable[[object], object]:
    def split(value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(separator) if part.strip()]
        return value

    return split


def _split_pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for part in cast("list[str]", _split_at(",")(value)):
        key, separator, text = part.partition("=")
        if not separator:
            raise ValueError("expected KEY=VALUE, several of them with a comma between")
        pairs[key.strip()] = text.strip()
    return pairs


def split_sinks(value: object) -> object:
    """`NAME=URL,NAME=URL`, as in an environment variable, as the list that the file has."""
    if not isinstance(value, str):
        return value
    return [{"name": name, "url": url} for name, url in cast("dict[str, str]", _split_pairs(value)).items()]


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(show_duration)]
LoopbackHost = Annotated[str, AfterValidator(_check_loopback)]
Folders = Annotated[list[Path], BeforeValidator(_split_at(os.pathsep))]
"""In an environment variable: with the separator of PATH between."""
Words = Annotated[list[str], BeforeValidator(_split_at(","))]
"""In an environment variable: with commas between."""
Pairs = Annotated[dict[str, str], BeforeValidator(_split_pairs)]
"""In an environment variable: `KEY=VALUE,KEY=VALUE`."""
