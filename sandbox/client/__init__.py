"""The client library: submit tasks from your own programs, wait for them, read their logs.

::

    from sandbox import Client

    with Client() as client:
        task = client.submit("add", [1, 2])
        print(task.result())

`Client` and `AsyncClient` do the same; both are thin shells over `sandbox.client.requests`, which builds and reads
messages without any I/O. Errors are those of `sandbox.errors`, over HTTP and over gRPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.client.aio import AsyncClient
    from sandbox.client.handles import AsyncTaskHandle, TaskHandle
    from sandbox.client.outcome import TaskFailed
    from sandbox.client.records import Attempt, EventInfo, LogEntry, SqlTable, TaskInfo, TaskPage, Why
    from sandbox.client.submission import Submission
    from sandbox.client.sync import Client

__all__ = [
    "AsyncClient",
    "AsyncTaskHandle",
    "Attempt",
    "Client",
    "EventInfo",
    "LogEntry",
    "SqlTable",
    "Submission",
    "TaskFailed",
    "TaskHandle",
    "TaskInfo",
    "TaskPage",
    "Why",
]

_HOMES = {
    "AsyncClient": "aio",
    "AsyncTaskHandle": "handles",
    "Attempt": "records",
    "Client": "sync",
    "EventInfo": "records",
    "LogEntry": "records",
    "SqlTable": "records",
    "Submission": "submission",
    "TaskFailed": "outcome",
    "TaskHandle": "handles",
    "TaskInfo": "records",
    "TaskPage": "records",
    "Why": "records",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: a program that only awaits pays for no sync client."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
