"""The errors of the orchestrator, its clients and its environments.

::

    SandboxError
    ├─ InvalidInput      BadArguments · BadConfig · BadFilter · UnknownTaskName · UnknownDomain
    ├─ NotFound          TaskNotFound · EnvironmentNotFound · LogNotFound
    ├─ Conflict          IdempotencyConflict · EnvironmentBusy · PortTaken · AmbiguousId
    ├─ Refused           Overloaded · NotAllowed
    ├─ Unavailable       OrchestratorUnreachable · ShepherdUnreachable · StartFailed
    ├─ StoreError        StoreFull · StoreReadOnly · StoreDamaged · StoreForeign · StoreTooNew · StoreInUse
    ├─ NotSupported
    └─ InternalError

Each carries what one renderer needs to show it, and one table (`sandbox.api.faults`) to send it:
`code` (stable), `what` happened, on which `subject`, `why`, and a `hint`: the next command or edit.
How a task ended is never an error; it is a value.
"""

from __future__ import annotations

from typing import ClassVar


class SandboxError(Exception):
    """The root. `what` is a sentence without a full stop; the other parts may be empty."""

    code: ClassVar[str] = "error"
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


class InvalidInput(SandboxError):
    """Refused at the door: what was given can't be right."""

    code = "invalid-input"
    exit_code = 2


class BadArguments(InvalidInput):
    """The input of a task is not what a task can take: args a JSON array, kwargs a JSON object."""

    code = "invalid-input.arguments"


class BadConfig(InvalidInput):
    """The configuration has mistakes; `problems` holds every one of them, a line each."""

    code = "invalid-input.config"

    def __init__(self, what: str, *, problems: tuple[str, ...] = (), subject: str = "", hint: str = "") -> None:
        super().__init__(what, subject=subject, why="\n".join(problems), hint=hint)
        self.problems = problems


class BadFilter(InvalidInput):
    """A filter, page cursor, time or SQL statement can't be read."""

    code = "invalid-input.filter"


class UnknownTaskName(InvalidInput):
    """No shepherd offers, and no task folder holds, a task of that name."""

    code = "invalid-input.task-name"


class UnknownDomain(InvalidInput):
    """The domain is neither configured nor in use."""

    code = "invalid-input.domain"


class NotFound(SandboxError):
    """What was asked for isn't there."""

    code = "not-found"
    exit_code = 3


class TaskNotFound(NotFound):
    """No task has that id, or an id that starts so."""

    code = "not-found.task"


class EnvironmentNotFound(NotFound):
    """No environment of that name has been started here."""

    code = "not-found.environment"


class LogNotFound(NotFound):
    """The task has printed nothing, or its log is gone; `why` tells which."""

    code = "not-found.log"


class Conflict(SandboxError):
    """Right in itself, but not with what is there."""

    code = "conflict"
    exit_code = 5


class IdempotencyConflict(Conflict):
    """The idempotency key was used before for a task with another name or other input."""

    code = "conflict.idempotency-key"


class AmbiguousId(Conflict):
    """Several tasks have an id that starts so."""

    code = "conflict.ambiguous-id"


class EnvironmentBusy(Conflict):
    """Another command starts or stops the same environment at this moment."""

    code = "conflict.environment"


class PortTaken(Conflict):
    """Another process listens where we should; `why` names it."""

    code = "conflict.port"


class Refused(SandboxError):
    """Understood, and not done."""

    code = "refused"
    exit_code = 5


class Overloaded(Refused):
    """More than can be taken now; try again after `retry_after` seconds."""

    code = "refused.overloaded"
    retriable = True


class NotAllowed(Refused):
    """Not with these credentials, or not from there."""

    code = "refused.not-allowed"
    exit_code = 4


class Unavailable(SandboxError):
    """A part that is needed doesn't answer."""

    code = "unavailable"
    exit_code = 6
    retriable = True


class OrchestratorUnreachable(Unavailable):
    """Nothing answers at the orchestrator's address."""

    code = "unavailable.orchestrator"


class StartFailed(Unavailable):
    """A process of the environment ended, or didn't get ready; `why` has the end of its own log."""

    code = "unavailable.start"


class StoreError(SandboxError):
    """The database can't take or give what was asked. What was not acknowledged was not stored."""

    code = "store"
    exit_code = 7


class StoreFull(StoreError):
    """No space is left for the database."""

    code = "store.full"
    retriable = True


class StoreReadOnly(StoreError):
    """The database or its folder can't be written."""

    code = "store.read-only"


class StoreDamaged(StoreError):
    """The file is no intact database, or the disk fails."""

    code = "store.damaged"


class StoreForeign(StoreError):
    """A database, but none of azolla-local."""

    code = "store.foreign"


class StoreTooNew(StoreError):
    """Written by a later version of azolla-local."""

    code = "store.too-new"


class StoreInUse(StoreError):
    """Another orchestrator holds the same database."""

    code = "store.in-use"
    exit_code = 5


class NotSupported(SandboxError):
    """A call of the protocol that this version doesn't serve."""

    code = "not-supported"
    exit_code = 5


class InternalError(SandboxError):
    """A bug of ours."""

    code = "internal"
