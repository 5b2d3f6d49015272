"""JSON that people type, or point to: a value, `@FILE`, or `-` for standard input. Mistakes are shown in place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

from sandbox.errors import BadArguments, InvalidInput

_ROOM = 60


def read_text(given: str, option: str) -> str:
    """The text that is meant: itself, the content of `@FILE`, or standard input for `-`."""
    if given == "-":
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    path = Path(given[1:])
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no UTF-8 text"
        raise InvalidInput(f"The file of {option} can't be read", subject=str(path), why=why) from error


def parse(text: str, what: str, *, line: int = 0) -> Any:
    """A JSON value. BadArguments shows where it breaks off. `line`: its number in a file of many."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise BadArguments(
            f"{what} is not JSON", subject=place, why=f"{error.msg}:\n{_pointed(text, error.lineno, error.colno)}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadArguments(f"{what} is not JSON", subject=f"line {line}" if line else "", why=str(error)) from None


def parse_array(text: str, what: str) -> list[Any]:
    """A JSON array."""
    value = parse(text, what)
    if not is_array(value):
        raise BadArguments(
            f"{what} must be a JSON array", why=f"it is {kind(value)}", hint=f"such as '[{_short(text)}]'"
        )
    return value


def parse_object(text: str, what: str) -> dict[str, Any]:
    """A JSON object."""
    value = parse(text, what)
    if not is_object(value):
        raise BadArguments(
            f"{what} must be a JSON object", why=f"it is {kind(value)}", hint="""such as '{"depth": 2}'"""
        )
    return value


def word(text: str) -> Any:
    """A word of the command line: the JSON value that it is, else the word itself as a string.

    What begins like an array, an object or a string must be one: `[1,` is a mistake, not a string.
    """
    if text[:1] in ("[", "{", '"'):
        return parse(text, f"The argument {_short(text)}")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def assignment(text: str, option: str) -> tuple[str, str]:
    """`key=value` taken apart."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidInput(f"{option} takes key=value", subject=text)
    return key, value


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
        case _:
            return "a number"


def _pointed(text: str, line: int, column: int) -> str:
    """The line of the mistake, with a caret below it; long lines are cut around it."""
    shown = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
    start = max(0, column - 1 - _ROOM // 2)
    cut = shown[start : start + _ROOM]
    before = "…" if start else ""
    after = "…" if start + _ROOM < len(shown) else ""
    return f"{before}{cut}{after}\n{' ' * (len(before) + column - 1 - start)}^"


def _short(text: str) -> str:
    return text if len(text) <= _ROOM else text[: _ROOM - 1] + "…"


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")
