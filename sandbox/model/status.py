"""Where a task stands, and which way it may go from there.

::

                 ┌───────────▶ scheduled ──(its time)──┐
    (created) ───┤                                     ▼
                 └──────────────────────────────▶ pending ◀──(back-off over)── retrying
                                                    │  ▲                          ▲
                                                    ▼  │ handed back              │ to be tried again
                                                 assigned ──────▶ running ────────┤
                                                    │                │            │
                                                    └───────┬────────┘            │
                                                            ▼                     │
                  succeeded · failed · dead · timed_out · lost · cancelled  ◀─────┘ (cancelled)

A task that has not ended can be cancelled from everywhere.
"""

from __future__ import annotations

from enum import IntEnum


class TaskStatus(IntEnum):
    """Where a task stands. The numbers are in the database and never change their meaning."""

    PENDING = 1
    """Ready; waits for a shepherd with a free place."""
    SCHEDULED = 2
    """Waits for its time."""
    ASSIGNED = 3
    """Sent to a shepherd, not yet reported as running."""
    RUNNING = 4
    """An attempt runs."""
    RETRYING = 5
    """The last attempt failed; waits for its back-off to pass."""
    SUCCEEDED = 6
    FAILED = 7
    """Ended by an error that its retry policy doesn't try again."""
    DEAD = 8
    """Ended by an error, all attempts used up: in the dead letter queue."""
    CANCELLED = 9
    TIMED_OUT = 10
    """Its last attempt ran out of time, and is not tried again."""
    LOST = 11
    """Its attempts were lost with their shepherds too often."""

    @property
    def word(self) -> str:
        """As people read and type it: `timed-out`."""
        return self.name.lower().replace("_", "-")

    @property
    def ended(self) -> bool:
        """Whether the task is over for good."""
        return self >= TaskStatus.SUCCEEDED

    @classmethod
    def from_word(cls, word: str) -> TaskStatus:
        """The status of that word; KeyError if there is none."""
        return cls[word.strip().upper().replace("-", "_")]


_UNDONE = frozenset({TaskStatus.FAILED, TaskStatus.DEAD, TaskStatus.CANCELLED, TaskStatus.TIMED_OUT, TaskStatus.LOST})

TRANSITIONS: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset({TaskStatus.ASSIGNED, TaskStatus.CANCELLED}),
    TaskStatus.SCHEDULED: frozenset({TaskStatus.PENDING, TaskStatus.CANCELLED}),
    TaskStatus.ASSIGNED: _UNDONE | {TaskStatus.RUNNING, TaskStatus.SUCCEEDED, TaskStatus.RETRYING, TaskStatus.PENDING},
    TaskStatus.RUNNING: _UNDONE | {TaskStatus.SUCCEEDED, TaskStatus.RETRYING, TaskStatus.PENDING},
    TaskStatus.RETRYING: frozenset({TaskStatus.PENDING, TaskStatus.CANCELLED}),
    **{status: frozenset[TaskStatus]() for status in TaskStatus if status.ended},
}
"""Every move that is allowed."""


class AttemptOutcome(IntEnum):
    """How one attempt ended. The numbers are those of the wire and of the database."""

    SUCCEEDED = 1
    FAILED = 2
    TIMED_OUT = 3
    CANCELLED = 4
    LOST = 5
    """Its shepherd died, or can't tell what became of it. Doesn't use up an attempt of the policy."""
    HANDED_BACK = 6
    """Never started; its shepherd drains. Doesn't use up an attempt of the policy."""

    @property
    def word(self) -> str:
        """As people read it: `timed-out`."""
        return self.name.lower().replace("_", "-")
