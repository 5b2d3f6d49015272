"""Which attempt a log belongs to: the fields that sinks store and name templates may use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from logsinks.errors import IdentityError

_TEXT_FIELDS = ("task_id", "task_name", "domain", "queue", "shepherd", "host", "flow_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptIdentity:
    """One attempt of one task. The pair `task_id`, `attempt` is unique for ever; the rest describes it.

    `started` is when the attempt started, aware; names are made from it, so it must be the same after any
    crash: make the identity once, and keep it with the attempt.
    """

    task_id: str
    attempt: int
    task_name: str
    domain: str
    queue: str
    shepherd: str
    host: str
    started: datetime
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    flow_id: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What tells this attempt from every other."""
        return (self.task_id, self.attempt)

    def to_json(self) -> bytes:
        """The form that travels in begin frames and stands in the spool."""
        return json.dumps(
            {
                "task_id": self.task_id,
                "attempt": self.attempt,
                "task_name": self.task_name,
                "domain": self.domain,
                "queue": self.queue,
                "shepherd": self.shepherd,
                "host": self.host,
                "started": self.started.astimezone(UTC).isoformat(),
                "labels": dict(self.labels),
                "flow_id": self.flow_id,
            },
            separators=(",", ":"),
        ).encode()

    @classmethod
    def from_json(cls, text: str | bytes) -> AttemptIdentity:
        """The identity that :meth:`to_json` wrote; :class:`IdentityError` says what is wrong with it."""
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise IdentityError("The identity of a log is not JSON", why=str(error)) from error
        if not isinstance(value, dict):
            raise IdentityError("The identity of a log is not a JSON object")
        given = cast("dict[str, Any]", value)
        texts = {name: given.get(name, "") for name in _TEXT_FIELDS}
        for name, text_value in texts.items():
            if not isinstance(text_value, str):
                raise IdentityError("The identity of a log has a wrong field", subject=name, why="it must be text")
        attempt = given.get("attempt")
        if not isinstance(attempt, int) or isinstance(attempt, bool) or attempt < 1 or not texts["task_id"]:
            raise IdentityError("The identity of a log names no attempt", why="task_id or attempt is missing")
        labels: Any = given.get("labels") or {}
        if not isinstance(labels, dict):
            raise IdentityError("The identity of a log has a wrong field", subject="labels", why="it must be an object")
        try:
            started = datetime.fromisoformat(given.get("started", ""))
        except (TypeError, ValueError) as error:
            raise IdentityError("The identity of a log has a wrong field", subject="started", why=str(error)) from error
        if started.tzinfo is None:
            raise IdentityError("The identity of a log has a wrong field", subject="started", why="it has no time zone")
        return cls(
            **texts,
            attempt=attempt,
            started=started.astimezone(UTC),
            labels={str(name): str(text_value) for name, text_value in cast("dict[Any, Any]", labels).items()},
        )
