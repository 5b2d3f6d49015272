"""JSON in and out with integers of any size exact.

orjson is fast, and exact up to 2^64 - 1; longer integers become floats in it. Where a document has twenty digits
or more in a row, it is read by the standard library instead. Numbers with a fraction or an exponent are IEEE
doubles in both.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

_MANY_DIGITS = re.compile(rb"[0-9]{19}")


def loads(document: bytes) -> Any:
    """Read JSON. Raises json.JSONDecodeError with line and column."""
    if _MANY_DIGITS.search(document) is None:
        return orjson.loads(document)
    orjson.loads(document)  # refuses what isn't JSON, which the standard library is not strict about
    return json.loads(document, parse_constant=_refuse_constant)


def dumps(value: Any) -> str:
    """JSON text without needless blanks. Raises ValueError for what JSON can't hold, or is nested too deeply."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        pass  # an integer beyond 64 bits, or deep nesting: the slower way below can
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
