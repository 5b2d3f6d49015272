"""`@task` binds a function to a task name, and `Retry` is how it asks to be run again.

Imported by the module of every Python task when a worker starts, so it imports next to nothing itself.
The options are read from the source, without importing the module (`shepherd.definitions.python_source`):
that is where mistakes in them are found. Here they are only kept.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar, overload

    Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS_ATTRIBUTE = "__azolla_local_task__"
"""Where a function keeps the options of its `@task`."""

if TYPE_CHECKING:

    @overload
    def task(function: Function, /) -> Function: ...
    @overload
    def task(
        *,
        name: str | None = None,
        description: str | None = None,
        isolation: str | None = None,
        max_time: str | float | None = None,
        retries: int | str | None = None,
        retry_delay: str | float | None = None,
        retry_on: Sequence[str | type[BaseException]] | None = None,
        grace: str | float | None = None,
        kill_signal: str | None = None,
        limit_mem: str | int | None = None,
        limit_disk: str | int | None = None,
        limit_cpu: str | float | None = None,
        limit_pids: int | str | None = None,
        network: str | None = None,
        nice: int | None = None,
        user: str | None = None,
        group: str | None = None,
        working_directory: str | None = None,
        labels: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        checks: Mapping[str, str] | None = None,
    ) -> Callable[[Function], Function]: ...


def task(function: Any = None, /, **options: Any) -> Any:
    """Declare a function of a module in a task folder as a task.

    Plain (`@task`), it is called as its function; options must be literals, since they are read without running
    the module. Times and sizes are numbers (seconds, bytes) or texts such as `"2m"` and `"512M"`; `retries` and
    `retry_delay` make a retry policy, `retry_on` names the errors it is for (all, if not given). Positional and
    keyword input of a task are the arguments of the call; its result is what the function returns, as JSON.
    A first parameter annotated `Context`, or called `ctx`, receives the context. The function itself stays as it
    is, so it can be called in tests. TypeError for an option that doesn't exist.
    """
    unknown = options.keys() - OPTION_NAMES
    if unknown:
        raise TypeError(f"@task has no option {', '.join(sorted(unknown))}; it has {', '.join(OPTION_NAMES)}")

    def declare(decorated: Any) -> Any:
        setattr(decorated, OPTIONS_ATTRIBUTE, options)
        return decorated

    return declare if function is None else declare(function)


OPTION_NAMES = (
    "name",
    "description",
    "isolation",
    "max_time",
    "retries",
    "retry_delay",
    "retry_on",
    "grace",
    "kill_signal",
    "limit_mem",
    "limit_disk",
    "limit_cpu",
    "limit_pids",
    "network",
    "nice",
    "user",
    "group",
    "working_directory",
    "labels",
    "environment",
    "checks",
)
"""All options, in the order in which help shows them."""


class Retry(Exception):
    """Raised by a task to be run again, whatever its policy says about errors; attempts still count.

    `after` is in seconds; without it the policy's delay is used.
    """

    def __init__(self, reason: str = "", *, after: float | None = None) -> None:
        if after is not None and not 0 <= after < 31_622_400:
            raise ValueError("Retry(after=…) takes seconds, from 0 to a year")
        super().__init__(reason or "the task asked to be run again")
        self.reason = reason
        self.after = after
