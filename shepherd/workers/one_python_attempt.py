"""A Python task in a process of its own."""

from __future__ import annotations

import os

from shepherd.definitions.context import Context
from shepherd.definitions.current_context import CURRENT
from shepherd.workers.lean_json import dumps
from shepherd.workers.python_task import run
from shepherd.workers.signals import ASKING, ENDING, handle
from shepherd.workers.startup import add_site_packages
from shepherd.workers.task_errors import AttemptCancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from shepherd.workers.one_attempt import Assignment
    from shepherd.workers.outcome import Outcome


class Side:
    """What this worker does for the context of its attempt."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._context: Context | None = None

    def context(self) -> Context:
        """The context, made when it is first asked for."""
        if self._context is None:
            given = self._assignment
            self._context = Context(
                task_id=given["task_id"],
                attempt=given["attempt"],
                name=given["name"],
                domain=given["domain"],
                queue=given["queue"],
                side=self,
                deadline_ms=given["deadline_ms"],
                labels=given["labels"],
            )
        return self._context

    def heartbeat(self, note: str) -> None:
        from time import time_ns

        from shepherd.workers.one_attempt import HEARTBEAT_FILE, write_whole

        text = dumps({"note": note.encode("utf-8", "replace").decode(), "time_ms": time_ns() // 1_000_000})
        write_whole(self._assignment["control_folder"], HEARTBEAT_FILE, text)

    def work_folder(self) -> str:
        return self._assignment["working_directory"] or os.getcwd()  # noqa: PTH109 - pathlib costs another import


def run_function(assignment: Assignment) -> Outcome:
    """Import the module, call the function."""
    add_site_packages()
    side = Side(assignment)
    _listen_for_the_end(side)
    CURRENT.set(side)
    return run(
        assignment["module_path"] or "",
        assignment["function"] or "",
        side.context,
        assignment["args"],
        assignment["kwargs"],
        wait=lambda awaitable: _wait(awaitable, side),
    )


def _listen_for_the_end(side: Side) -> None:
    """On a signal that asks for the end: say so in the context, and raise within the task."""

    def end(number: int, frame: Any) -> None:
        del frame
        if not side.context().cancelled:
            side.context().mark_cancelled()
            raise AttemptCancelled(f"the attempt was asked to end (signal {number})")

    for number in ASKING:
        # Checks have survived all of them; a Python task meets the others as any program does.
        handle(number, end if number in ENDING else None)


def _wait(awaitable: Awaitable[Any], side: Side) -> Any:
    """Run an async task; a signal cancels it as asyncio does."""
    import asyncio

    async def wait() -> Any:
        task = asyncio.current_task()

        def end() -> None:
            side.context().mark_cancelled()
            if task is not None:
                task.cancel()

        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, end)
        return await awaitable

    return asyncio.run(wait())
