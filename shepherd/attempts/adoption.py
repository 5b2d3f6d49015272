"""Takes over what an earlier start of this shepherd left: attempts that still run, and ends that nobody knows yet."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from shepherd.attempts.attempt import Attempt, Reporter
from shepherd.attempts.journal import JournalEntry
from shepherd.attempts.steps.execute import ExecuteStep
from shepherd.attempts.supervisor import Supervisor
from shepherd.definitions import DefinitionKind, ServiceSettings, TaskDefinition
from shepherd.tiers.contract import Place
from shepherd.tiers.control_folder import ASSIGNMENT_FILE
from shepherd.tiers.process import ProcessTier
from shepherd.tiers.remains import processes_with_argument

_log = structlog.get_logger(__name__)


def adopt_all(
    entries: Iterable[JournalEntry],
    *,
    supervisor: Supervisor,
    execute: ExecuteStep,
    tier: ProcessTier,
    reporter: Reporter,
) -> None:
    """Before the first Hello, so that it names them all."""
    for entry in entries:
        task = entry.assignment
        if entry.end is not None:
            reporter.attempt_ended(task.task_id, task.attempt, entry.end)
            continue
        attempt = _attempt(entry, tier)
        found = processes_with_argument(str(entry.folder / "control" / ASSIGNMENT_FILE))
        pid = found[0] if found else None
        _log.info("an attempt of an earlier start is taken over", attempt=attempt.key, pid=pid)
        supervisor.adopt(attempt, execute.adopt(attempt, tier, pid))


def _attempt(entry: JournalEntry, tier: ProcessTier) -> Attempt:
    task = entry.assignment
    return Attempt(
        key=f"{task.task_id}:{task.attempt}",
        assignment=task,
        # Its definition may have changed, or be gone. What the end of an attempt needs of it is in the journal.
        definition=TaskDefinition(
            name=task.name,
            kind=DefinitionKind.EXECUTABLE,
            service=ServiceSettings(kill_signal=entry.kill_signal),
            source=entry.folder,
        ),
        tier=tier,
        time_limit_s=entry.time_limit_s,
        grace_s=entry.grace_s,
        started_ms=entry.started_ms,
        captured=True,
        folder=entry.folder,
        place=Place(
            folder=entry.folder,
            control=entry.folder / "control",
            work=entry.folder / "work",
            environment={},
            stdout_fd=-1,
            stderr_fd=-1,
        ),
    )
