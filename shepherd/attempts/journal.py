"""Attempts with a process of their own, on disk, so that the next start of the shepherd takes them over.

::

    STATE/journal/TASK_ID.ATTEMPT.json    written before the process is started
    STATE/journal/TASK_ID.ATTEMPT.end     written when its end is known, before the orchestrator is told

Both go, with the attempt's folder, when the orchestrator has acknowledged the end. Files are renamed into place, not
synced: a kill of the shepherd loses none of them, and after a crash of the machine no process is left to be adopted.
The process itself is found by the path of its assignment file among its arguments, so no pid is kept, and none is
mistaken for another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from shepherd.attempts.attempt import Attempt
from shepherd.attempts.steps.work_folder import attempt_folder, remove_tree
from shepherd.wire.payload import Assignment, End, Log, Outcome

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """What an earlier shepherd left of one attempt."""

    assignment: Assignment
    started_ms: int
    time_limit_s: float | None
    grace_s: float
    kill_signal: str
    folder: Path
    end: End | None
    """None: it was not known yet."""


class Journal:
    """The folder of all entries."""

    def __init__(self, folder: Path, work_root: Path) -> None:
        self._folder = folder
        self._work_root = work_root
        self._kept: set[tuple[str, int]] = set()

    def open(self) -> None:
        """Make the folders. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._work_root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def begin(self, attempt: Attempt) -> None:
        """Its process is about to be started. Raises OSError."""
        task = attempt.assignment
        self._kept.add((task.task_id, task.attempt))
        self._write(
            task,
            "json",
            {
                "assignment": asdict(task),
                "started_ms": attempt.started_ms,
                "time_limit_s": attempt.time_limit_s,
                "grace_s": attempt.grace_s,
                "kill_signal": attempt.definition.service.kill_signal,
            },
        )

    def end(self, attempt: Attempt, end: End) -> None:
        """Its end is known."""
        task = attempt.assignment
        if (task.task_id, task.attempt) not in self._kept:
            return
        try:
            self._write(task, "end", asdict(end))
        except OSError as error:
            # The link tells it all the same; only a kill before the acknowledgement would lose it now.
            _log.error("an end can't be written to the journal", attempt=attempt.key, error=str(error))

    def forget(self, task_id: str, attempt: int) -> None:
        """The orchestrator knows its end, or doesn't want it: remove all there is of it."""
        if (task_id, attempt) not in self._kept:
            return
        self._kept.discard((task_id, attempt))
        remove_tree(attempt_folder(self._work_root, task_id, attempt))
        for suffix in ("end", "json"):
            (self._folder / f"{task_id}.{attempt}.{suffix}").unlink(missing_ok=True)

    def load(self) -> list[JournalEntry]:
        """What an earlier shepherd left. Entries that can't be read are removed, and named in the log."""
        entries = list(self._entries())
        self._kept = {(entry.assignment.task_id, entry.assignment.attempt) for entry in entries}
        expected = {entry.folder for entry in entries}
        for folder in self._work_root.iterdir():
            if folder not in expected:
                remove_tree(folder)
        return entries

    def _entries(self) -> Iterator[JournalEntry]:
        for file in sorted(self._folder.glob("*.json")):
            try:
                value: Any = orjson.loads(file.read_bytes())
                assignment = Assignment(**value["assignment"])
                yield JournalEntry(
                    assignment=assignment,
                    started_ms=value["started_ms"],
                    time_limit_s=value["time_limit_s"],
                    grace_s=value["grace_s"],
                    kill_signal=value["kill_signal"],
                    folder=attempt_folder(self._work_root, assignment.task_id, assignment.attempt),
                    end=_read_end(file.with_suffix(".end")),
                )
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.error("an entry of the journal can't be read, and is removed", file=str(file), error=str(error))
                file.unlink(missing_ok=True)
                file.with_suffix(".end").unlink(missing_ok=True)

    def _write(self, task: Assignment, suffix: str, value: dict[str, Any]) -> None:
        file = self._folder / f"{task.task_id}.{task.attempt}.{suffix}"
        beside = file.with_suffix(f".{suffix}-new")
        beside.write_bytes(orjson.dumps(value))
        beside.replace(file)


def _read_end(file: Path) -> End | None:
    try:
        value: Any = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    value["outcome"] = Outcome(value["outcome"])
    value["log"] = Log.NONE
    return End(**value)
