"""Commands: a task's own, and its checks.

The contract with executables: input in the files that `AZOLLA_ARGS` and `AZOLLA_KWARGS` name (never on the command
line, which anyone on the host can read), exit 0 for success, 75 to be run again, anything else to fail. JSON that it
writes to the file that `AZOLLA_RESULT` names is its result.
"""

from __future__ import annotations

import errno
import os

from shepherd.workers.lean_json import loads
from shepherd.workers.outcome import LARGEST_RESULT_BYTES, asked_for_retry, failed, succeeded
from shepherd.workers.signals import ASKING, handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shepherd.workers.one_attempt import Assignment, CheckLine
    from shepherd.workers.outcome import Outcome

EX_TEMPFAIL = 75
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class NotStarted(Exception):
    """A command can't be started; `status` is what a shell would leave with."""

    def __init__(self, error_type: str, message: str, status: int) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.status = status

    def outcome(self) -> Outcome:
        """The outcome of an attempt that meets it."""
        return failed(self.error_type, self.message, exit_code=self.status)


def enter(folder: str | None) -> Outcome | None:
    """Go to the working folder; a failure if that can't be done."""
    if folder is None:
        return None
    try:
        os.chdir(folder)
    except OSError as error:
        return failed("WorkingDirectoryNotFound", f"the working directory {folder}: {error.strerror}")
    return None


def run_checks(checks: Sequence[CheckLine], environment: dict[str, str]) -> Outcome | None:
    """The checks one after another, their output in the attempt's log; the first that fails ends the attempt."""
    for check in checks:
        name = check["name"]
        try:
            code, signal = _run(split(check["script"]), environment)
        except (NotStarted, ValueError) as error:
            return failed("CheckFailed", f"{name}: {error}", data={"check": name})
        if signal is not None:
            return failed("CheckFailed", f"{name} was ended by signal {signal}", data={"check": name}, signal=signal)
        if code:
            return failed("CheckFailed", f"{name} left with status {code}", data={"check": name}, exit_code=code)
    return None


def input_files(assignment: Assignment) -> dict[str, str]:
    """Write the input where the command and its checks find it; the variables that say where."""
    # Late: one_attempt imports this.
    from shepherd.workers.one_attempt import write_whole

    control = assignment["control_folder"]
    write_whole(control, "args.json", assignment["args"] or "[]")
    write_whole(control, "kwargs.json", assignment["kwargs"] or "{}")
    deadline = assignment["deadline_ms"]
    return {
        "AZOLLA_ARGS": f"{control}/args.json",
        "AZOLLA_KWARGS": f"{control}/kwargs.json",
        "AZOLLA_RESULT": f"{control}/result.json",
        "AZOLLA_TASK_ID": assignment["task_id"],
        "AZOLLA_TASK_NAME": assignment["name"],
        "AZOLLA_ATTEMPT": str(assignment["attempt"]),
        "AZOLLA_DOMAIN": assignment["domain"],
        "AZOLLA_QUEUE": assignment["queue"],
        **({} if deadline is None else {"AZOLLA_DEADLINE_MS": str(deadline)}),
    }


def run_command(assignment: Assignment, environment: dict[str, str]) -> Outcome:
    """Run the task's command and read its result."""
    # Late: one_attempt imports this.
    from shepherd.workers.one_attempt import text_file

    control = assignment["control_folder"]
    try:
        words = [filled(word, environment) for word in (assignment["command"], *assignment["args_list"])]
        code, signal = _run(words, environment)
    except NotStarted as error:
        return error.outcome()
    except KeyError as error:
        return failed("MissingVariable", f"the command line names ${{{error.args[0]}}}, which isn't set")
    name = assignment["command"].rpartition("/")[2]
    if signal is not None:
        return failed(
            "Signal", f"{name} was ended by signal {_signal_name(signal)}", exit_code=128 + signal, signal=signal
        )
    if code == EX_TEMPFAIL:
        return asked_for_retry(f"{name} left with 75, which asks for a retry", None, exit_code=code)
    if code:
        return failed("ExitCode", f"{name} left with status {code}", exit_code=code)
    try:
        text = text_file(control, "result.json", LARGEST_RESULT_BYTES)
        if text is not None and text.strip():
            loads(text)
            return succeeded(text.strip(), exit_code=0)
    except (OSError, ValueError) as error:
        return failed("ResultNotSerializable", f"{name} wrote a result that can't be used: {error}", exit_code=0)
    return succeeded("null", exit_code=0)


def _signal_name(number: int) -> str:
    # The module's enums cost as much as starting Python: only imported when there is such an end to tell of.
    import signal

    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def split(line: str) -> list[str]:
    """A command line as a shell would split it. ValueError if a quote isn't closed."""
    if not any(mark in line for mark in "'\"\\"):
        return line.split()
    import shlex

    return shlex.split(line)


def filled(word: str, environment: dict[str, str]) -> str:
    """A word of a command line with its `${NAME}` filled in. KeyError for a variable that isn't set."""
    if "${" not in word:
        return word
    from shepherd.definitions.references import expand

    return expand(word, environment)


def _run(words: list[str], environment: dict[str, str]) -> tuple[int, int | None]:
    """Start a command, wait for its end: its status, or the signal that ended it. Raises :class:`NotStarted`."""
    if not words:
        raise NotStarted("CommandNotFound", "the command is empty", NOT_FOUND)
    path = find(words[0], environment)
    survive_signals()
    try:
        # vfork and exec in C: a third of the time that subprocess takes, and no import.
        pid = os.posix_spawn(path, words, environment, setsigdef=ASKING)
    except OSError as error:
        raise _why_not(path, error) from error
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (0, -code)


def survive_signals() -> None:
    """Let signals to the group end the command, and not the process that is to tell how it ended."""
    for number in ASKING:
        handle(number, _ignore)


def _ignore(number: int, frame: object) -> None:
    # A handler rather than SIG_IGN, which the command would inherit.
    del number, frame


def find(command: str, environment: dict[str, str]) -> str:
    """The file of a command. Raises :class:`NotStarted` with the reason why there is none to be run."""
    if "/" in command:
        if os.path.isdir(command):  # noqa: PTH112 - pathlib costs a worker another import
            raise NotStarted("CommandNotExecutable", f"{command} is a folder", NOT_EXECUTABLE)
        if not os.path.exists(command):  # noqa: PTH110 - as above
            raise NotStarted("CommandNotFound", f"{command} isn't there", NOT_FOUND)
        if not os.access(command, os.X_OK):
            raise NotStarted(
                "CommandNotExecutable", f"{command} has no run bit; give it one: chmod +x {command}", NOT_EXECUTABLE
            )
        return command
    search = environment.get("PATH", os.defpath)
    without_bit = ""
    for folder in search.split(":"):
        path = f"{folder or '.'}/{command}"
        if os.path.isfile(path):  # noqa: PTH113 - as above
            if os.access(path, os.X_OK):
                return path
            without_bit = without_bit or path
    if without_bit:
        raise NotStarted(
            "CommandNotExecutable", f"{without_bit} has no run bit; give it one: chmod +x {without_bit}", NOT_EXECUTABLE
        )
    raise NotStarted("CommandNotFound", f"no command {command} is found in PATH, which is {search}", NOT_FOUND)


def _why_not(path: str, error: OSError) -> NotStarted:
    interpreter = _first_line(path)
    if error.errno == errno.ENOEXEC:
        message = f"{path} is no program, and no script with a first line such as #!/bin/sh"
    elif error.errno == errno.ENOENT and interpreter:
        message = f"{path} asks to be run by {interpreter}, which isn't there"
        return NotStarted("CommandNotFound", message, NOT_FOUND)
    elif error.errno == errno.E2BIG:
        message = f"{path} can't be started: its arguments and environment are too long for this system"
    else:
        message = f"{path} can't be started: {error.strerror}"
    return NotStarted("CommandNotExecutable", message, NOT_EXECUTABLE)


def _first_line(path: str) -> str:
    """The interpreter that a script names; empty if it is none, or can't be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            start = file.read(256)
    except OSError:
        # Runnable and not readable: then its first line can't be the reason that we tell.
        return ""
    if not start.startswith(b"#!"):
        return ""
    return start[2:].partition(b"\n")[0].strip().decode(errors="replace")
