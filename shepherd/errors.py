"""The errors of a shepherd and of task definitions.

::

    ShepherdError
    ├─ DefinitionError   TaskFileError · UnknownTask · TaskImportError
    ├─ TierUnavailable
    ├─ LinkError         OrchestratorUnreachable · EpochRefused · ProtocolMismatch
    ├─ CapacityError
    ├─ BadConfig                       in `config`
    └─ StateInUse · StateUnusable      in `identity`

Each carries the same as the errors of `sandbox` and `logsinks` do, so that one renderer shows them all:
`code` (stable), `what` happened, on which `subject`, `why`, and a `hint`: the next command or edit.
How an attempt ended is never an error; it is a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ShepherdError(Exception):
    """The root. `what` is a sentence without a full stop; the other parts may be empty."""

    code: ClassVar[str] = "shepherd"
    exit_code: ClassVar[int] = 70
    retriable: ClassVar[bool] = False

    def __init__(
        self, what: str, *, subject: str = "", why: str = "", hint: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.subject = subject
        self.why = why
        self.hint = hint
        self.retry_after = retry_after
        """Seconds after which another try makes sense; None where that means nothing."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.what, self.why) if part)


class DefinitionError(ShepherdError):
    """What a task name is bound to can't be used as it stands."""

    code = "definition"
    exit_code = 2


class TaskFileError(DefinitionError):
    """A task file, or the options of a `@task`, are wrong; tells where, and which known key is nearest."""

    code = "definition.task-file"

    def __init__(
        self, what: str, *, file: str, line: int = 0, key: str = "", expected: str = "", nearest: str = ""
    ) -> None:
        place = f"{file}:{line}" if line else file
        hint = f"write {nearest}" if nearest else "azolla-local validate " + file
        super().__init__(what, subject=place, why=f"expected {expected}" if expected else "", hint=hint)
        self.file = file
        self.line = line
        self.key = key
        self.expected = expected
        self.nearest = nearest


class UnknownTask(DefinitionError):
    """No task file and no Python module of the task folders declares that name."""

    code = "definition.unknown-task"

    def __init__(self, name: str, *, nearest: Sequence[str] = (), why: str = "") -> None:
        hint = "did you mean " + " or ".join(nearest) + "?" if nearest else "azolla-local validate FOLDER"
        super().__init__("no task has this name", subject=name, why=why, hint=hint)
        self.name = name
        self.nearest = tuple(nearest)


class TaskImportError(DefinitionError):
    """The module of a Python task can't be imported, or has no such function; `error_type` says how."""

    code = "definition.import"

    def __init__(
        self, what: str, *, error_type: str = "ImportError", subject: str = "", why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, subject=subject, why=why, hint=hint)
        self.error_type = error_type


class TierUnavailable(ShepherdError):
    """The host can't give the isolation that a task asks for; never replaced by a weaker one in silence."""

    code = "tier-unavailable"
    exit_code = 6

    def __init__(self, tier: str, *, missing: str, hint: str = "", remaining: Sequence[str] = ()) -> None:
        super().__init__(f"isolation {tier} can't be had here", subject=tier, why=missing, hint=hint)
        self.tier = tier
        self.missing = missing
        self.remaining = tuple(remaining)
        """The tiers that this host can give."""


class LinkError(ShepherdError):
    """The connection to the orchestrator doesn't work."""

    code = "link"
    exit_code = 6
    retriable = True


class OrchestratorUnreachable(LinkError):
    """Nothing answers at the orchestrator's address; the shepherd goes on trying."""

    code = "link.unreachable"


class EpochRefused(LinkError):
    """A later start of this shepherd is known to the orchestrator: this one is fenced off and must end."""

    code = "link.epoch"
    retriable = False


class ProtocolMismatch(LinkError):
    """The other end speaks, but not our protocol, or not this version of it."""

    code = "link.protocol"
    retriable = False


class CapacityError(ShepherdError):
    """No slot or no disk is left for an attempt; it goes back to the orchestrator."""

    code = "capacity"
    exit_code = 5
    retriable = True
