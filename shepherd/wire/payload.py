"""An assignment and an end as plain objects: what the rest of the shepherd works with.

Input and result pass through as the JSON text that they are; nobody between client and worker takes them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Outcome(IntEnum):
    """How one attempt ended. The numbers are those of the wire (`azolla.common.AttemptOutcome`)."""

    SUCCEEDED = 1
    FAILED = 2
    TIMED_OUT = 3
    CANCELLED = 4
    LOST = 5
    """The shepherd can't tell what became of it, or lost it itself."""
    HANDED_BACK = 6
    """Never started."""

    @property
    def word(self) -> str:
        """As people read it: `timed-out`."""
        return self.name.lower().replace("_", "-")


class Log(IntEnum):
    """What is left to be done for the log of an attempt in a warm worker."""

    NONE = 0
    """It printed nothing, or its log is on disk."""
    ENDED = 1
    """It printed, and its worker has told the catcher that this was all."""
    CUT = 2
    """Its worker died: the catcher knows whether it printed."""


@dataclass(slots=True, kw_only=True, eq=False)
class Assignment:
    """One attempt of a task, as the orchestrator asked for it."""

    task_id: str
    attempt: int
    """From 1. 0: the orchestrator is Azolla's, which numbers no attempts."""
    name: str
    args: str = "[]"
    """A JSON array, not yet looked at."""
    kwargs: str = "{}"
    """A JSON object, not yet looked at."""
    domain: str = "default"
    queue: str = "default"
    timeout_ms: int = 0
    """Wall time allowed; 0: the definition's."""
    created_ms: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True, kw_only=True, eq=False)
class End:
    """How an attempt ended: outcome, result or error, and what it used. Times in Unix milliseconds."""

    outcome: Outcome
    result_json: str = "null"
    error_type: str = ""
    error_message: str = ""
    error_data: str = "{}"
    retriable: bool = False
    started_ms: int = 0
    """0: it never started."""
    ended_ms: int = 0
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int = 0
    """0: not measured."""
    cpu_us: int = 0
    log_bytes: int = 0
    log_lines: int = 0
    retry_after_ms: int | None = None
    isolation: str = ""
    left_behind: str = ""
    log: Log = Log.NONE
    """Stays on the host."""
