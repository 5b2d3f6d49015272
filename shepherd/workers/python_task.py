"""A Python task called with its input; whatever happens becomes an outcome."""

from __future__ import annotations

from shepherd.workers.lean_json import dumps, loads
from shepherd.workers.outcome import failed, succeeded
from shepherd.workers.python_module import NotLoaded, load_function
from shepherd.workers.task_errors import message_of, outcome_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from shepherd.definitions.context import Context
    from shepherd.workers.outcome import Outcome
    from shepherd.workers.python_module import TaskFunction

NULL = succeeded("null")
"""The outcome of most tasks; never changed, only copied."""


class BadArguments(Exception):
    """The input doesn't fit the function, or is no JSON array and object."""


def begin(function: TaskFunction, context: Callable[[], Context], args_json: str, kwargs_json: str) -> Any:
    """Call the function, or make its coroutine. Raises what the task raises, and :class:`BadArguments`."""
    args: list[Any] = [] if args_json == "[]" or not args_json else _read(args_json, list, "args", "an array")
    kwargs: dict[str, Any] = {}
    if kwargs_json and kwargs_json != "{}":
        kwargs = _read(kwargs_json, dict, "kwargs", "an object")
    if function.azolla is not None:
        # Azolla's rule: named input is one more positional argument, which its own code takes apart again.
        return function.azolla._execute_with_casting([*args, kwargs] if kwargs else args)  # noqa: SLF001
    try:
        if function.context_first:
            return function.call(context(), *args, **kwargs)
        if function.context_by_name:
            kwargs[function.context_by_name] = context()
        return function.call(*args, **kwargs)
    except TypeError as error:
        if _call_failed(error, function, args, kwargs):
            raise BadArguments(message_of(error)) from error
        raise


def _read(text: str, kind: type, name: str, expected: str) -> Any:
    try:
        value = loads(text)
    except ValueError as error:
        raise BadArguments(f"{name} is no JSON: {error}") from error
    if not isinstance(value, kind):
        raise BadArguments(f"{name} is JSON, but not {expected}")
    return value


def _call_failed(error: TypeError, function: TaskFunction, args: list[Any], kwargs: dict[str, Any]) -> bool:
    """Whether the call itself was wrong, rather than something within the function.

    A call that doesn't fit the signature raises before there is a frame of the function, so the traceback ends
    here. Only a function in wrappers needs its signature looked at.
    """
    traceback = error.__traceback__
    if traceback is None or traceback.tb_next is None:
        return True
    if not hasattr(function.call, "__wrapped__"):
        return False
    from inspect import signature

    context = (None,) if function.context_first else ()
    try:
        signature(function.call).bind(*context, *args, **kwargs)
    except TypeError:
        return True
    except ValueError:
        # It has no signature to be read: then nothing can be said against the call.
        return False
    return False


def finish(result: Any) -> Outcome:
    """The outcome of a function that returned."""
    if result is None:
        return dict(NULL)
    try:
        text = dumps(result)
    except (TypeError, ValueError) as error:
        why = message_of(error)
        if "Out of range float" in why:
            why = "JSON has no NaN and no infinity"
        elif "Circular" in why:
            why = "it holds itself"
        message = f"the result ({type(result).__name__}) can't be written as JSON: {why}"
        return failed("ResultNotSerializable", message, retriable=False)
    return succeeded(text)


def failure(error: BaseException) -> Outcome:
    """The outcome of a task that raised, or couldn't be loaded or called."""
    if isinstance(error, NotLoaded):
        retriable = error.error_type not in {"SyntaxError", "IndentationError", "TabError"}
        return failed(error.error_type, error.message, data=error.data, retriable=retriable)
    if isinstance(error, BadArguments):
        return failed("BadArguments", str(error), retriable=False)
    return outcome_of(error)


def run(
    path: str,
    name: str,
    context: Callable[[], Context],
    args_json: str,
    kwargs_json: str,
    *,
    wait: Callable[[Awaitable[Any]], Any] | None = None,
) -> Outcome:
    """Load and call a function; `wait` runs it if it is async. Never raises."""
    try:
        result = begin(load_function(path, name), context, args_json, kwargs_json)
        if hasattr(result, "__await__"):
            result = (wait or run_awaitable)(result)
        return finish(result)
    except BaseException as error:  # noqa: BLE001 - every end of a task is an outcome, SystemExit too
        return failure(error)


def run_awaitable(awaitable: Awaitable[Any]) -> Any:
    """Wait for an async task in an event loop of its own."""
    import asyncio

    async def wait() -> Any:
        return await awaitable

    return asyncio.run(wait())
