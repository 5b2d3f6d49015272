"""How an attempt ended, in the form in which workers tell it: a plain object, ready for JSON."""

from __future__ import annotations

from shepherd.workers.lean_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Outcome = dict[str, Any]

LARGEST_RESULT_BYTES = 32 * 1024 * 1024
"""A result above it is refused: it has to travel in one message, and to be kept."""

LONGEST_MESSAGE = 64 * 1024
"""Characters of an error's message that are kept; the log has all of it."""


def succeeded(result_json: str, *, exit_code: int | None = None) -> Outcome:
    """A success with its result; a failure if the result can't be sent."""
    size = len(result_json)
    try:
        if not result_json.isascii():
            size = len(result_json.encode())
    except UnicodeEncodeError:
        return failed("ResultNotSerializable", "the result holds text that is no valid Unicode", retriable=False)
    if size > LARGEST_RESULT_BYTES:
        message = f"the result takes {size} bytes of JSON, {LARGEST_RESULT_BYTES} is the most; return where it is kept"
        return failed("ResultTooLarge", message, retriable=False)
    return {"outcome": "succeeded", "result_json": result_json, "exit_code": exit_code}


def failed(
    error_type: str,
    message: str,
    *,
    data: Any = None,
    retriable: bool = True,
    exit_code: int | None = None,
    signal: int | None = None,
) -> Outcome:
    """A failure. `data` is anything that JSON can say; it is left out if it can't."""
    data_json = "{}"
    if data:
        try:
            data_json = well_formed(dumps(data))
        except (TypeError, ValueError) as error:
            data_json = dumps({"unavailable": well_formed(str(error))})
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + "…"
    error = {
        "type": well_formed(error_type),
        "message": well_formed(message),
        "data_json": data_json,
        "retriable": retriable,
    }
    return {"outcome": "failed", "error": error, "exit_code": exit_code, "signal": signal}


def asked_for_retry(reason: str, after_s: float | None, *, exit_code: int | None = None) -> Outcome:
    """A failure of an attempt that wants another one."""
    outcome = failed("Retry", reason, exit_code=exit_code)
    outcome["retry"] = True
    outcome["retry_after_s"] = after_s
    return outcome


def well_formed(text: str) -> str:
    """The text with what isn't Unicode (half characters, bytes of odd file names) replaced by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
