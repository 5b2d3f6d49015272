"""The errors of the log library.

::

    LogSinkError
    ├─ SinkConfigError   SinkUrlError · UnknownSink · TemplateError (UnknownField · NameCollision)
    ├─ IdentityError
    ├─ SpoolError        SpoolDamaged · SpoolNotFound · CatcherUnavailable · SealTimeout
    ├─ DeliveryError     Busy · Denied · Refused · Moved
    ├─ LogReadError      LogNotFound · LogPurged · BadQuery
    └─ LogMismatch

Each carries what one renderer needs to show it: `code` (stable), `what` happened, on which `subject`, `why`,
and a `hint`: the next command or edit. The four delivery errors are the whole vocabulary between a sink and
the shipper; what they make it do is told in :mod:`logsinks.contract`.
"""

from __future__ import annotations

from typing import ClassVar


class LogSinkError(Exception):
    """The root. `what` is a sentence without a full stop; the other parts may be empty."""

    code: ClassVar[str] = "log"
    exit_code: ClassVar[int] = 70
    retriable: ClassVar[bool] = False

    def __init__(self, what: str, *, subject: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.subject = subject
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return ": ".join(part for part in (self.what, self.why) if part)


class SinkConfigError(LogSinkError):
    """The configuration of a sink has a mistake; nothing was opened."""

    code = "log.config"
    exit_code = 2


class SinkUrlError(SinkConfigError):
    """A sink URL can't be read, or has an option that the sink doesn't know."""

    code = "log.config.url"


class UnknownSink(SinkConfigError):
    """No installed package offers a sink for the URL's scheme."""

    code = "log.config.unknown-sink"


class TemplateError(SinkConfigError):
    """A name template can't be used; `why` says where it is wrong."""

    code = "log.config.template"


class UnknownField(TemplateError):
    """A name template has a field that doesn't exist; the hint has the nearest one that does."""

    code = "log.config.template.field"


class NameCollision(TemplateError):
    """A name template could give two attempts one name; `first` and `second` are two that it does."""

    code = "log.config.template.collision"

    def __init__(
        self, what: str, *, subject: str = "", hint: str = "", first: str = "", second: str = "", name: str = ""
    ) -> None:
        why = f"{first} and {second} would both be named {name}"
        super().__init__(what, subject=subject, why=why, hint=hint)
        self.first = first
        self.second = second
        self.name = name


class IdentityError(LogSinkError):
    """What should tell which attempt a log belongs to can't be read."""

    code = "log.identity"


class SpoolError(LogSinkError):
    """The spool can't take or give what was asked."""

    code = "log.spool"
    exit_code = 7


class SpoolDamaged(SpoolError):
    """A spool file holds bytes that we never wrote so: the disk fails, or something else wrote there."""

    code = "log.spool.damaged"


class SpoolNotFound(SpoolError):
    """The spool folder, or a file in it, isn't there."""

    code = "log.spool.not-found"


class CatcherUnavailable(SpoolError):
    """The process that moves output into the spool can't be started or reached."""

    code = "log.spool.catcher"
    exit_code = 6
    retriable = True


class SealTimeout(SpoolError):
    """An attempt's output was not safely in the spool in time; it may still come."""

    code = "log.spool.seal-timeout"
    retriable = True


class DeliveryError(LogSinkError):
    """A sink didn't take what it was given. Nothing is lost: it stays in the spool."""

    code = "log.delivery"
    exit_code = 6


class Busy(DeliveryError):
    """The destination can't answer now (throttled, timed out, down). Tried again, after `after` seconds if given."""

    code = "log.delivery.busy"
    retriable = True

    def __init__(
        self, what: str, *, after: float | None = None, subject: str = "", why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, subject=subject, why=why, hint=hint)
        self.after = after


class Denied(DeliveryError):
    """The destination refuses us (credentials, no such bucket, read-only): the sink pauses until a person acts."""

    code = "log.delivery.denied"


class Refused(DeliveryError):
    """These very records can never be stored there. The sink has gone on to `watermark` without them."""

    code = "log.delivery.refused"

    def __init__(
        self, what: str, *, watermark: int, records: int = 1, subject: str = "", why: str = "", hint: str = ""
    ) -> None:
        super().__init__(what, subject=subject, why=why, hint=hint)
        self.watermark = watermark
        self.records = records


class Moved(DeliveryError):
    """The destination stands elsewhere than we thought; go on at `watermark`."""

    code = "log.delivery.moved"
    retriable = True

    def __init__(self, what: str, *, watermark: int, subject: str = "") -> None:
        super().__init__(what, subject=subject)
        self.watermark = watermark


class LogReadError(LogSinkError):
    """A stored log can't be read."""

    code = "log.read"
    exit_code = 3


class LogNotFound(LogReadError):
    """There is no log at that place, and there never was one that we know of."""

    code = "log.read.not-found"


class LogPurged(LogReadError):
    """The log was there, and retention has removed it."""

    code = "log.read.purged"


class BadQuery(LogReadError):
    """A filter of a log query makes no sense: a regular expression that can't be read, a time without a zone."""

    code = "log.read.query"
    exit_code = 2


class LogMismatch(LogSinkError):
    """A sink holds other bytes than it should."""

    code = "log.mismatch"
    exit_code = 1
