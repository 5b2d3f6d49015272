"""JSON by the interpreter's own C parts, without the `json` package.

`json` imports regular expressions and enums, which takes longer than starting Python does: 8 ms on the way of
every attempt of the tier `process`. Where an interpreter lacks the C parts, `json` itself is used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Scan = Callable[[str, int], tuple[Any, int]]

_SPACE = " \t\n\r"


class _Settings:
    """What the scanner wants to know."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner's own, cleared by it

    @staticmethod
    def parse_constant(name: str) -> Any:
        raise ValueError(f"JSON has no {name}")


def _no_json(value: Any) -> Any:
    raise TypeError(f"JSON has no {type(value).__name__}")


def _lean() -> tuple[Scan, Callable[[], Callable[[Any, int], Any]]]:
    from _json import encode_basestring, make_encoder, make_scanner

    settings: Any = _Settings
    scan: Any = make_scanner(settings)

    def encoder() -> Callable[[Any, int], Any]:
        made: Any = make_encoder({}, _no_json, encode_basestring, None, ":", ",", False, False, False)
        return made

    encoder()
    return scan, encoder


def _plain() -> tuple[Scan, Callable[[], Callable[[Any, int], Any]]]:
    import json

    scan = json.JSONDecoder(parse_constant=_Settings.parse_constant).raw_decode

    def encoder() -> Callable[[Any, int], Any]:
        made = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_no_json)
        return lambda value, _level: (made.encode(value),)

    return scan, encoder


try:
    _scan, _make_encoder = _lean()
except (ImportError, TypeError, AttributeError):
    # Another interpreter, or a later one whose C parts take something else.
    _scan, _make_encoder = _plain()

_encode = _make_encoder()


def loads(text: str) -> Any:
    """A JSON text as a value. ValueError if it is none; NaN and infinity are none."""
    start = 0
    while start < len(text) and text[start] in _SPACE:
        start += 1
    try:
        value, end = _scan(text, start)
    except StopIteration as error:
        raise ValueError(f"no JSON value at character {error.value}") from None
    except SystemError:
        # What the C scanner gives for broken JSON while nobody has imported the module of the error that it wants.
        import json

        value, end = json.loads(text), len(text)
    except RecursionError:
        raise ValueError("the JSON value is nested too deeply") from None
    if end != len(text) and text[end:].strip(_SPACE):
        raise ValueError(f"more than one JSON value: a second begins at character {end}")
    return value


def dumps(value: Any) -> str:
    """A value as JSON text without spaces, not escaped to ASCII.

    TypeError for what JSON can't say, ValueError for NaN, infinity, and a value that holds itself.
    """
    global _encode
    try:
        return "".join(_encode(value, 0))
    except BaseException as error:
        # The encoder remembers what it was in when it failed, and would take it for a circle the next time.
        _encode = _make_encoder()
        if isinstance(error, RecursionError):
            raise ValueError("the value is nested too deeply") from None
        raise
