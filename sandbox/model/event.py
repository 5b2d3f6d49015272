"""Facts about tasks, attempts and shepherds, one class each, as they are appended to the event log.

The numbers in :class:`EventType` are in the database and never change their meaning; 1, 3, 4, 5 and 6
are Azolla's. An event that belongs to a task carries its id and domain; `attempt` is 0 where none is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from sandbox.model.status import AttemptOutcome, TaskStatus


class EventType(IntEnum):
    """What kind of fact an event is."""

    TASK_CREATED = 1
    TASK_ENDED = 3
    ATTEMPT_STARTED = 4
    ATTEMPT_ENDED = 5
    SHEPHERD_CONNECTED = 6
    ATTEMPT_ASSIGNED = 7
    TASK_RETRYING = 8
    TASK_CANCEL_REQUESTED = 9
    SHEPHERD_LOST = 10
    SHEPHERD_LEFT = 11
    RESULT_REFUSED = 12
    TASK_EVENT_PUBLISHED = 13
    ORCHESTRATOR_STARTED = 14
    LOG_OPENED = 15
    FLOW_EVENT_PUBLISHED = 16

    @property
    def word(self) -> str:
        """As people read it: `attempt-ended`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The part that all events share. `time_ms`: when it was decided, Unix milliseconds."""

    type: ClassVar[EventType]
    time_ms: int
    domain: str = ""
    task_id: str = ""
    attempt: int = 0
    shepherd_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(Event):
    """A task was accepted. Its input is kept in the task's row, once."""

    type = EventType.TASK_CREATED
    name: str
    queue: str
    not_before_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptAssigned(Event):
    """An attempt was given to a shepherd; on disk before the shepherd hears of it."""

    type = EventType.ATTEMPT_ASSIGNED


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    """The shepherd says that the attempt runs. Left out for attempts that ended at once."""

    type = EventType.ATTEMPT_STARTED
    started_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(Event):
    """How an attempt ended, with what it used."""

    type = EventType.ATTEMPT_ENDED
    outcome: AttemptOutcome
    error_type: str = ""
    error_message: str = ""
    error_data: str = ""
    """JSON text; empty where there is none."""
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
class TaskRetrying(Event):
    """The next attempt is due at `due_ms`."""

    type = EventType.TASK_RETRYING
    due_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded(Event):
    """The task is over. Result or error are kept in its row, once."""

    type = EventType.TASK_ENDED
    status: TaskStatus
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCancelRequested(Event):
    """Somebody wants a running task to end."""

    type = EventType.TASK_CANCEL_REQUESTED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRefused(Event):
    """A result came for an attempt that is not the shepherd's live one; it changed nothing."""

    type = EventType.RESULT_REFUSED
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOpened(Event):
    """The first byte of an attempt's log has reached a sink, and where."""

    type = EventType.LOG_OPENED
    sink: str
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEventPublished(Event):
    """A client's own fact about a task; `metadata` is JSON text."""

    type = EventType.TASK_EVENT_PUBLISHED
    published_type: int
    metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdConnected(Event):
    """A shepherd has said hello."""

    type = EventType.SHEPHERD_CONNECTED
    epoch: int
    queue: str
    host: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdLost(Event):
    """The lease of a shepherd ran out; its attempts end as lost."""

    type = EventType.SHEPHERD_LOST
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShepherdLeft(Event):
    """The connection of a shepherd ended; its lease goes on."""

    type = EventType.SHEPHERD_LEFT
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorStarted(Event):
    """The scheduler runs again, with that many tasks not yet ended."""

    type = EventType.ORCHESTRATOR_STARTED
    version: str
    unfinished: int
