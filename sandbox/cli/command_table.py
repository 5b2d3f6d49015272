"""Every command, its one line of help, and the module that is imported when it is used, and only then.

To add one: a file `sandbox/cli/commands/NAME.py` with

    def command(inv: Invocation, …) -> int | None:
        \"\"\"The help text; its first line says what the command does.\"\"\"

whose other parameters are declared the way Typer wants them (`Annotated[str, typer.Argument(help=…)]`), and a
line in the table below. A command with commands of its own (`config show`) has `app = typer.Typer(…)` instead;
its functions take `inv` first in the same way. `--env --url --json --no-color -q` come by themselves. What is
returned is the exit code; None is 0. Raise errors with the five parts of `sandbox.errors.SandboxError`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table. `module` is relative to `sandbox.cli.commands`."""

    group: str
    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("Work", "run", "Submit a task and wait for it; -f shows its log as it is written."),
    "submit": Entry("Work", "submit", "Submit one task, or many from a file or a pipe."),
    "wait": Entry("Work", "wait", "Wait until tasks have ended."),
    "cancel": Entry("Work", "cancel", "Cancel tasks."),
    "ls": Entry("Look", "ls", "List tasks, newest first."),
    "show": Entry("Look", "show", "Show a task: input, attempts, result."),
    "why": Entry("Look", "why", "Say why a task stands where it stands."),
    "logs": Entry("Look", "logs", "Print what tasks have written."),
    "audit": Entry("Look", "audit", "Print the history of a task, or of everything."),
    "sql": Entry("Look", "sql", "Ask the database, read-only."),
    "id": Entry("Look", "ids", "Take a task id apart."),
    "up": Entry("Environment", "up", "Start the environment."),
    "down": Entry("Environment", "down", "Stop the environment; what it knows stays on disk."),
    "status": Entry("Environment", "status", "Show what runs, and what it does."),
    "doctor": Entry("Environment", "doctor", "Check what this machine can do."),
    "reset": Entry("Environment", "reset", "Delete everything the environment keeps."),
    "config": Entry("Settings", "config", "Show the configuration, and where each value comes from."),
    "validate": Entry("Settings", "validate", "Check task files and Python tasks without running them."),
    "help": Entry("Settings", "help", "Show the help of a command, or of a subject such as exit-codes."),
}

OWN_CODE_IS_THE_TASKS = frozenset({"run", "wait"})
"""Commands that exit with the code of the task; their own failures are 125."""


def grouped() -> dict[str, list[tuple[str, str]]]:
    """Commands and summaries by group, in the order of the table."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, entry in COMMANDS.items():
        groups.setdefault(entry.group, []).append((name, entry.summary))
    return groups
