"""A task as a program asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.errors import BadArguments, InvalidInput
from sandbox.model import exact_json
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE


@dataclass(slots=True, kw_only=True)
class Submission:
    """What to run, with which input, and how. What is left as it is here isn't sent.

    `args` and `kwargs` are anything that JSON can hold. A `delay` counts from the moment of sending.
    """

    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    domain: str = DEFAULT_DOMAIN
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    timeout: float | timedelta | None = None
    """Seconds allowed to each attempt; None: what the task definition says."""
    not_before: datetime | None = None
    delay: float | timedelta | None = None
    """Seconds; not together with `not_before`."""
    retry_policy: RetryPolicy | Mapping[str, Any] | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    key: str | None = None
    """Idempotency key: the same key in the same domain gives the same task, whatever is repeated."""

    def to_object(self, now: datetime | None = None) -> dict[str, Any]:
        """As the HTTP API takes it. InvalidInput for what can't be meant."""
        found: dict[str, Any] = {"name": self.name}
        if self.args:
            if isinstance(self.args, str | bytes):
                raise BadArguments("args is a list, not a text", subject=self.name, hint=f"give [{self.args!r}]")
            found["args"] = list(self.args)
        if self.kwargs:
            found["kwargs"] = dict(self.kwargs)
        if self.domain != DEFAULT_DOMAIN:
            found["domain"] = self.domain
        if self.queue != DEFAULT_QUEUE:
            found["queue"] = self.queue
        if self.priority:
            found["priority"] = self.priority
        if self.timeout is not None:
            found["timeout"] = seconds(self.timeout)
        start_ms = self.start_ms(now)
        if start_ms:
            found["not_before"] = start_ms
        policy = self.policy()
        if policy is not None:
            found["retry_policy"] = exact_json.loads(policy.to_json().encode())
        if self.labels:
            found["labels"] = dict(self.labels)
        if self.key is not None:
            found["idempotency_key"] = self.key
        return found

    def start_ms(self, now: datetime | None = None) -> int:
        """When it may start, in Unix milliseconds; 0: at once."""
        if self.delay is not None:
            if self.not_before is not None:
                raise InvalidInput("Give a delay or a time to start, not both", subject=self.name)
            start = (now or datetime.now(UTC)) + timedelta(seconds=seconds(self.delay))
            return round(start.timestamp() * 1000)
        if self.not_before is None:
            return 0
        if self.not_before.tzinfo is None:
            raise InvalidInput("The time to start must say its zone", subject=self.not_before.isoformat())
        return round(self.not_before.timestamp() * 1000)

    def policy(self) -> RetryPolicy | None:
        """The retry policy, read and checked."""
        if self.retry_policy is None or isinstance(self.retry_policy, RetryPolicy):
            return self.retry_policy
        try:
            return RetryPolicy.from_dict(dict(self.retry_policy))
        except ValueError as error:
            raise InvalidInput("The retry policy is wrong", subject=self.name, why=str(error)) from error

    def json(self, now: datetime | None = None) -> str:
        """As JSON text. BadArguments for what JSON can't hold."""
        try:
            return exact_json.dumps(self.to_object(now))
        except (TypeError, ValueError) as error:
            raise BadArguments("The input can't be sent as JSON", subject=self.name, why=str(error)) from error


def seconds(duration: float | timedelta) -> float:
    """A duration in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
