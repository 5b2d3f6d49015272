"""A task as the orchestrator holds it, and as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.status import TaskStatus

DEFAULT_DOMAIN = "default"
DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """What a client asks for. Checked by `sandbox.service.admission` before it gets further."""

    name: str
    domain: str = DEFAULT_DOMAIN
    queue: str = DEFAULT_QUEUE
    args: str = "[]"
    """JSON array, passed through as text."""
    kwargs: str = "{}"
    """JSON object, passed through as text."""
    retry_policy: RetryPolicy | None = None
    """None: what the definition says, else Azolla's default."""
    priority: int = 0
    timeout_ms: int = 0
    not_before_ms: int = 0
    idempotency_key: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    flow_id: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """A task that has not ended, in memory. Only `sandbox.scheduler.taskset` changes it."""

    task_id: str
    domain: str
    queue: str
    name: str
    status: TaskStatus
    created_ms: int
    args: str
    kwargs: str
    priority: int = 0
    attempt: int = 0
    """Number of the newest attempt; 0 before the first."""
    uncounted: int = 0
    """Attempts that don't count against the policy: lost or handed back."""
    lost: int = 0
    due_ms: int = 0
    """When a scheduled or retrying task becomes pending."""
    started_ms: int = 0
    shepherd_id: str = ""
    timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    idempotency_key: str | None = None
    labels: Mapping[str, str] | None = None
    flow_id: str | None = None
    cancel_requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTask:
    """What stays of a task when it is over: enough to answer who waits for it."""

    task_id: str
    domain: str
    status: TaskStatus
    attempt: int
    ended_ms: int
    result: str | None = None
    """JSON text; None unless it succeeded."""
    error_type: str = ""
    error_message: str = ""
    error_data: str = "{}"
    retriable: bool = False
