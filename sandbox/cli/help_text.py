"""The help that needs no command: the overview, the version, and subjects such as exit codes."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.cli.command_table import COMMANDS, grouped

OPTIONS = (
    ("--env NAME", "The environment to talk to. [default: default; env var: AZOLLA_LOCAL_ENV]"),
    ("--url URL", "The address of its HTTP API. [env var: AZOLLA_LOCAL_URL]"),
    ("--json", "Print JSON: one object, or one a line where there are many."),
    ("--no-color", "No colours; NO_COLOR does the same."),
    ("-q, --quiet", "Print as little as possible."),
    ("--version", "Print the version."),
    ("-h, --help", "Print this, or the help of a command."),
)

FIRST_STEPS = (
    ("azolla-local up", "start the environment"),
    ("azolla-local run -f NAME", "run a task and see its log"),
    ("azolla-local down", "stop it again"),
)

EXIT_CODES = (
    ("0", "success"),
    ("1", "what was asked about failed: a task, a check"),
    ("2", "a mistake on the command line, or input that can't be right"),
    ("3", "not found"),
    ("4", "not allowed"),
    ("5", "a conflict with what is there, or refused for now"),
    ("6", "a part that is needed doesn't answer"),
    ("7", "the database can't take or give what was asked"),
    ("70", "a bug of azolla-local; the message names the report"),
    ("130", "interrupted with Ctrl-C"),
)

TASK_EXIT_CODES = (
    ("0", "the task succeeded"),
    ("1 to 123", "the exit code of the task's command; 1 for a failed Python task, and one that was cancelled or lost"),
    ("124", "the task ran out of time"),
    ("125", "`run` or `wait` failed itself: bad usage, unknown task, nothing answers, the time to wait is over"),
    ("126", "the task's command is not executable"),
    ("127", "the task's command was not found"),
    ("128 + n", "the task's command was ended by signal n"),
)


def answer_quickly(words: Sequence[str]) -> str | None:
    """The answer to a call that needs no command at all; None if it needs one."""
    if not words or list(words) in (["--help"], ["-h"], ["help"]):
        return overview()
    if list(words) in (["--version"], ["-V"]):
        from importlib.metadata import version

        return f"azolla-local {version('azolla-local')}\n"
    if len(words) == 2 and words[0] == "help" and words[1] in SUBJECTS:
        return SUBJECTS[words[1]]()
    return None


def overview() -> str:
    """What `azolla-local --help` prints."""
    lines = [
        "Usage: azolla-local [OPTIONS] COMMAND [ARGUMENTS]",
        "",
        "A whole task platform on your own machine: submit work, watch it run, read what it printed.",
        "",
        "First steps:",
        *_columns(FIRST_STEPS),
    ]
    for group, commands in grouped().items():
        lines += ["", f"{group}:", *_columns(commands)]
    lines += ["", "Options (before or after the command):", *_columns(OPTIONS)]
    lines += ["", "Task ids may be shortened to a prefix that only one task has.", "More: azolla-local help exit-codes"]
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    """What `azolla-local help exit-codes` prints."""
    lines = ["Exit codes of azolla-local:", *_columns(EXIT_CODES), ""]
    lines += ["`run` and `wait` for one task exit as the task did:", *_columns(TASK_EXIT_CODES), ""]
    lines += ["`wait` for several tasks: 0 if all succeeded, else 1."]
    return "\n".join(lines) + "\n"


SUBJECTS = {"exit-codes": exit_codes}


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    room = max(*(len(left) for left, _ in rows), *(len(name) for name in COMMANDS)) + 2
    return [f"  {left:<{room}}{right}" for left, right in rows]
