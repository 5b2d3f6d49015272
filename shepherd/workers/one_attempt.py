"""One attempt: checks, then the command or the function, then the outcome on disk.

::

    assignment.json   read: who the attempt is and what runs (the fields are those of `Assignment`)
    args.json, kwargs.json, result.json    for executables only
    heartbeat.json    {"note", "time_ms"}: the last heartbeat of a Python task
    outcome.json      written last, in one step, so it is there whole or not at all

Signals that ask a program to end are not answered by this process: the shepherd sends them to the whole group, so
the task has them too, and how it ends is what is to be written down. Only SIGKILL leaves no outcome.
"""

from __future__ import annotations

import os
import sys

from shepherd.workers.lean_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from shepherd.workers.outcome import Outcome

    class CheckLine(TypedDict):
        """One line of `[Checks]`."""

        name: str
        script: str

    class Assignment(TypedDict):
        """What the shepherd hands over. `args` and `kwargs` are JSON texts."""

        task_id: str
        attempt: int
        name: str
        domain: str
        queue: str
        kind: str
        command: str
        args_list: list[str]
        module_path: str | None
        function: str | None
        is_async: bool
        args: str
        kwargs: str
        environment: dict[str, str]
        working_directory: str | None
        control_folder: str
        deadline_ms: int | None
        labels: dict[str, str]
        created_ms: int
        max_time_s: float | None
        checks: list[CheckLine]


OUTCOME_FILE = "outcome.json"
HEARTBEAT_FILE = "heartbeat.json"


def main(arguments: list[str]) -> None:
    """Run the attempt of an assignment file. Ends with 0 once the outcome is on disk, with 2 if nothing could run."""
    if len(arguments) != 1:
        sys.exit("usage: main.py ASSIGNMENT_FILE")
    try:
        with open(arguments[0], "rb") as file:  # noqa: PTH123 - pathlib costs a worker another import
            assignment: Assignment = loads(file.read().decode())
        control = assignment["control_folder"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"the assignment {arguments[0]} can't be read: {error}", file=sys.stderr)  # noqa: T201 - it has no log
        sys.exit(2)
    own_pid = os.getpid()
    started_ms = _now_ms()
    outcome = run(assignment)
    if os.getpid() != own_pid:
        # A fork that the task made has returned from the task's function; the outcome is not its to write.
        os._exit(0)
    outcome["started_ms"] = started_ms
    outcome["ended_ms"] = _now_ms()
    _flush()
    try:
        write_whole(control, OUTCOME_FILE, dumps(outcome))
    except OSError as error:
        print(f"the outcome can't be written to {control}: {error}", file=sys.stderr)  # noqa: T201 - to the log
        os._exit(2)
    # Threads that the task left behind, and its exit handlers, have nothing more to say.
    os._exit(0)


def run(assignment: Assignment) -> Outcome:
    """Everything from the working folder to the outcome."""
    # Late: the two kinds share no imports.
    from shepherd.workers.executable import enter, input_files, run_checks, run_command

    environment = {**os.environ, **assignment["environment"]}
    if assignment["kind"] == "executable":
        environment |= input_files(assignment)
    unfit = enter(assignment["working_directory"]) or run_checks(assignment["checks"], environment)
    if unfit is not None:
        return unfit
    if assignment["kind"] == "executable":
        return run_command(assignment, environment)
    from shepherd.workers.one_python_attempt import run_function

    os.environ.update(assignment["environment"])
    return run_function(assignment)


def write_whole(folder: str, name: str, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    target = f"{folder}/{name}"
    temporary = f"{target}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, text.encode())
    finally:
        os.close(descriptor)
    os.replace(temporary, target)  # noqa: PTH105 - pathlib costs a worker another import


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _now_ms() -> int:
    from time import time_ns

    return time_ns() // 1_000_000


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            # Closed or replaced by the task: there is nothing left in it that we could save.
            continue


def text_file(folder: str, name: str, most_bytes: int) -> str | None:
    """A file's text, or None if there is no such file. ValueError if it is no UTF-8, or too long."""
    try:
        with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - pathlib costs a worker another import
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        return None
    if len(content) > most_bytes:
        raise ValueError(f"it is longer than the {most_bytes} bytes that a result may take")
    return content.decode()
