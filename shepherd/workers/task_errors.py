"""What an exception of a task says: to its log, and to its outcome."""

from __future__ import annotations

import sys

from shepherd.definitions.python_tasks import Retry
from shepherd.workers.outcome import asked_for_retry, failed, succeeded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from shepherd.workers.outcome import Outcome

EX_TEMPFAIL = 75
"""The exit status that asks for another attempt; sysexits.h."""


class AttemptCancelled(BaseException):
    """Raised within a task when its attempt is asked to end, so that its `finally` blocks run."""


_OWN_FILES = __file__.rpartition("/")[0] + "/"


def message_of(error: BaseException) -> str:
    """Its text; its name where it has none."""
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 - the task's own class, which may raise anything
        text = f"its text can't be had: {type(broken).__name__} in {type(error).__name__}.__str__"
    return text or type(error).__name__


def print_error(error: BaseException) -> None:
    """The traceback, without the worker's own frames, on the attempt's standard error."""
    error.__traceback__ = _outside(error.__traceback__)
    # By the interpreter's own hook: the traceback package takes as long to import as Python to start.
    sys.__excepthook__(type(error), error, error.__traceback__)


def _outside(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins where the worker calls the task."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_OWN_FILES):
        traceback = traceback.tb_next
    return traceback


def place_of(error: BaseException) -> dict[str, Any]:
    """File, line and function of where it was raised; empty if that was in the worker."""
    if isinstance(error, SyntaxError) and error.filename:
        return {"file": error.filename, "line": error.lineno}
    traceback = _outside(error.__traceback__)
    if traceback is None:
        return {}
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    return {"file": code.co_filename, "line": traceback.tb_lineno, "function": code.co_name}


def outcome_of(error: BaseException) -> Outcome:
    """The outcome of an attempt that raised, with its traceback in the log where that helps."""
    if isinstance(error, Retry):
        return asked_for_retry(error.reason, error.after)
    if isinstance(error, SystemExit):
        return _left(error)
    error_type = type(error).__name__
    if error_type in {"AttemptCancelled", "CancelledError"}:
        # By name: asyncio is only imported by those who use it.
        return failed("Cancelled", message_of(error) if error.args else "the attempt was cancelled", retriable=False)
    print_error(error)
    data = place_of(error)
    # Azolla's own TaskError tells its type, whether it may be retried, a code, and more.
    told: Any = getattr(error, "error_type", None)
    if isinstance(told, str) and told:
        error_type = told
        extra: Any = getattr(error, "extra_data", None)
        code: Any = getattr(error, "error_code", None)
        if code:
            data["code"] = code
        if isinstance(extra, dict):
            data.update(extra)  # pyright: ignore[reportUnknownArgumentType]  # whatever the task has put there
    retriable: Any = getattr(error, "retryable", getattr(error, "retriable", True))
    return failed(error_type, message_of(error), data=data, retriable=bool(retriable))


def _left(error: SystemExit) -> Outcome:
    """`sys.exit()` in a task counts as the exit of an executable does."""
    code: Any = error.code
    if code is None or code == 0:
        return succeeded("null", exit_code=0)
    if code == EX_TEMPFAIL:
        return asked_for_retry("the task left with 75, which asks for a retry", None, exit_code=code)
    if isinstance(code, int):
        return failed("ExitCode", f"the task left with status {code}", exit_code=code)
    print(code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    return failed("ExitCode", str(code), exit_code=1)
