"""azolla-local: a whole task platform on your own machine.

The names for users, resolved on first use: the module of a task imports this in every worker, so it must cost
next to nothing, and the client's libraries are only loaded by programs that submit tasks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sandbox.client import AsyncClient, Client, Submission
    from shepherd.definitions.context import Context
    from shepherd.definitions.python_tasks import Retry, task

    __version__: str

__all__ = ["AsyncClient", "Client", "Context", "Retry", "Submission", "__version__", "task"]

_HOMES = {
    "AsyncClient": "sandbox.client",
    "Client": "sandbox.client",
    "Context": "shepherd.definitions.context",
    "Retry": "shepherd.definitions.python_tasks",
    "Submission": "sandbox.client",
    "task": "shepherd.definitions.python_tasks",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _installed_version()
    elif name in _HOMES:
        # A from-list makes __import__ return the module itself; importlib would cost a worker another import.
        value = getattr(__import__(_HOMES[name], fromlist=[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("azolla-local")
    except PackageNotFoundError:
        # Run from a source folder that was never installed.
        return "0+source"
