"""The last words: what was done, where it is, and where to go from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the summary tells. Paths are absolute."""

    tasks: int
    succeeded: int
    retries: int
    seconds: float
    rate: float
    report: Path
    archive: Path
    archive_bytes: int
    logs: Path
    database: Path
    broken: str
    """Id of the task that failed on purpose."""
    web: str
    """Address of the HTTP interface."""


def lines(summary: Summary, command: Callable[[str], str], *, again: str) -> list[str]:
    """The summary as lines of text. `command` turns `why ID` into what is typed here."""
    failed = summary.tasks - summary.succeeded
    shown = summary.broken or "ID"
    retries = f"{summary.retries} {'retry' if summary.retries == 1 else 'retries'}"
    tries = [
        (f"why {shown}", "why that task failed"),
        (f"logs {shown}", "what it printed, attempt by attempt"),
        ('sql "select name, status, count(*) from tasks_view group by 1, 2"', "everything is in tables"),
    ]
    around = [
        ("ls", "the newest tasks"),
        ("show ID", "one of them: input, attempts, result"),
        ("status", "what runs, and what it does"),
        ("down", "stop it; what it knows stays on disk"),
    ]
    sentence = (
        f"{summary.tasks} tasks in {summary.seconds:.1f} s ({summary.rate:.0f}/s): {summary.succeeded} succeeded, "
        f"{failed} failed on purpose after {retries}."
    )
    return [
        sentence,
        "",
        f"  report     {summary.report}",
        f"  archive    {summary.archive} ({_size(summary.archive_bytes)})",
        f"  logs       {summary.logs}",
        f"  database   {summary.database}",
        f"  API        {summary.web}/openapi.json",
        "",
        "Three things to try next:",
        "",
        *(line for words, what in tries for line in (f"  # {what}", f"  {command(words)}")),
        "",
        "The environment goes on running. To look around, and to stop it:",
        "",
        *_columns(around, command),
        "",
        f"Run {again} again whenever you like; quickstart/README.md goes through it step by step.",
    ]


def _columns(rows: list[tuple[str, str]], command: Callable[[str], str]) -> list[str]:
    typed = [(command(words), what) for words, what in rows]
    width = max(len(left) for left, _ in typed)
    return [f"  {left:<{width}}   # {what}" for left, what in typed]


def _size(count: int) -> str:
    return f"{count} bytes" if count < 1024 else f"{count / 1024:.0f} KiB"
