"""What follows the end of an attempt: another one, and when, or the end of the task.

Failures and timeouts follow the task's retry policy. Attempts that were lost with their shepherd, or
handed back by one that drains, are nobody's fault: they are tried again without using up an attempt of
the policy, the lost ones at most `MAX_LOST` times, so that a task that kills its shepherd can't do so
for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.model.retry_policy import LONGEST_DELAY_S, RetryPolicy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.model.task import Task
from sandbox.scheduler.commands import AttemptResult

MAX_LOST = 10

_LONGEST_DELAY_MS = round(LONGEST_DELAY_S * 1000)


@dataclass(frozen=True, slots=True)
class Over:
    """The task has ended."""

    status: TaskStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt, after `delay_ms`; 0 means at once."""

    delay_ms: int
    reason: str
    counted: bool = True


_SUCCEEDED = Over(TaskStatus.SUCCEEDED)
_HANDED_BACK = Again(0, "handed back by a shepherd that drains", counted=False)


def what_follows(task: Task, ended: AttemptResult, policy: RetryPolicy, now_ms: int, unit: float) -> Over | Again:
    """Decide from the task as it is while the attempt still counts as live.

    `unit` is a random number in [0, 1) for the jitter.
    """
    outcome = ended.outcome
    if outcome is AttemptOutcome.SUCCEEDED:
        return _SUCCEEDED
    if task.cancel_requested or outcome is AttemptOutcome.CANCELLED:
        return Over(TaskStatus.CANCELLED, "cancelled while it ran")
    if outcome is AttemptOutcome.HANDED_BACK:
        return _HANDED_BACK
    if outcome is AttemptOutcome.LOST:
        if task.lost >= MAX_LOST:
            return Over(TaskStatus.LOST, f"{task.lost + 1} attempts were lost with their shepherds")
        return Again(min(task.lost * 1000, 10_000), "the attempt was lost with its shepherd", counted=False)
    return _by_policy(task, ended, policy, now_ms, unit)


def _by_policy(task: Task, ended: AttemptResult, policy: RetryPolicy, now_ms: int, unit: float) -> Over | Again:
    timed_out = ended.outcome is AttemptOutcome.TIMED_OUT
    final = TaskStatus.TIMED_OUT if timed_out else TaskStatus.FAILED
    kind = ended.error_type or "an error without a type"
    asked = ended.retry_after_ms is not None
    if not asked:
        if not ended.retriable:
            return Over(final, f"{kind} is not worth another attempt")
        if not policy.retries_error(ended.error_type):
            return Over(final, f"the retry policy doesn't try {kind} again")
    used = task.attempt - task.uncounted
    if policy.max_attempts is not None and used >= policy.max_attempts:
        if policy.max_attempts == 1:
            return Over(final, "the retry policy allows one attempt")
        return Over(TaskStatus.DEAD, f"all {policy.max_attempts} attempts are used up")
    delay_ms = round(policy.delay_before(used, unit) * 1000)
    if ended.retry_after_ms:
        delay_ms = min(ended.retry_after_ms, _LONGEST_DELAY_MS)
    if policy.max_elapsed is not None and now_ms - task.created_ms >= policy.max_elapsed * 1000:
        return Over(TaskStatus.DEAD, f"the {policy.max_elapsed:g} s that the retry policy allows are over")
    reason = "the task asked for another attempt" if asked else f"{kind} is tried again"
    return Again(delay_ms, reason)
