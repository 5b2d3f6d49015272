"""What shepherds tell of attempts, as plain values: the commands of the scheduler beside creation and cancel."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.model.status import AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How an attempt ended, as its shepherd tells it. Times are Unix milliseconds."""

    task_id: str
    attempt: int
    outcome: AttemptOutcome
    result: str | None = None
    """JSON text of the result of a success."""
    error_type: str = ""
    error_message: str = ""
    error_data: str = ""
    retriable: bool = True
    """False where the shepherd knows that another attempt can't help."""
    retry_after_ms: int | None = None
    """Set where the task itself asked for another attempt; 0: after the policy's own delay."""
    started_ms: int = 0
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int = 0
    cpu_us: int = 0
    log_bytes: int = 0
    log_lines: int = 0
    isolation: str = ""
    left_behind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptUnderWay:
    """An attempt runs since `started_ms`."""

    task_id: str
    attempt: int
    started_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a running task last said of itself."""

    task_id: str
    attempt: int
    time_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A pending task and the shepherd that shall run its next attempt."""

    task_id: str
    shepherd_id: str
