"""What a worker tells, or its exit, as the end of an attempt."""

from __future__ import annotations

from typing import Any

from shepherd.tiers.child import Exit
from shepherd.wire.payload import End, Log, Outcome

_STOPPED = {
    Outcome.TIMED_OUT: ("Timeout", "it ran longer than it may", True),
    Outcome.CANCELLED: ("Cancelled", "it was cancelled", False),
    Outcome.LOST: ("ShepherdStopped", "its shepherd stopped", True),
}


def reported(report: dict[str, Any], isolation: str) -> End:
    """The end that a worker reports. KeyError, TypeError or ValueError if it is no such report."""
    retry_after = report.get("retry_after_s")
    asked = bool(report.get("retry"))
    end = End(
        outcome=Outcome.SUCCEEDED if report["outcome"] == "succeeded" else Outcome.FAILED,
        started_ms=int(report.get("started_ms") or 0),
        ended_ms=int(report.get("ended_ms") or 0),
        isolation=isolation,
        log=Log.ENDED if report.get("logged") else Log.NONE,
    )
    if end.outcome is Outcome.SUCCEEDED:
        end.result_json = report.get("result_json") or "null"
        end.exit_code = report.get("exit_code")
        return end
    error: dict[str, Any] = report.get("error") or {}
    end.error_type = error.get("type") or "Error"
    end.error_message = error.get("message") or ""
    end.error_data = error.get("data_json") or "{}"
    end.retriable = bool(error.get("retriable", True))
    end.exit_code = report.get("exit_code")
    end.signal = report.get("signal")
    if asked or retry_after is not None:
        end.retriable = True
        # 0: the task asked, and leaves the delay to its retry policy.
        end.retry_after_ms = max(0, round(float(retry_after or 0) * 1000))
    return end


def stopped(outcome: Outcome, reason: str, isolation: str, *, started_ms: int = 0, ended_ms: int = 0) -> End:
    """The end of an attempt that was ended from outside."""
    error_type, message, retriable = _STOPPED[outcome]
    return End(
        outcome=outcome,
        error_type=error_type,
        error_message=reason or message,
        retriable=retriable,
        started_ms=started_ms,
        ended_ms=ended_ms,
        isolation=isolation,
    )


def refused(error_type: str, message: str) -> End:
    """The end of an attempt that never started, and wouldn't the next time."""
    return End(outcome=Outcome.FAILED, error_type=error_type, error_message=message, retriable=False)


def worker_died(ended: Exit, isolation: str, *, started_ms: int = 0, ended_ms: int = 0, detail: str = "") -> End:
    """The end of an attempt whose process left without a word about the outcome."""
    return End(
        outcome=Outcome.FAILED,
        error_type="WorkerDied",
        error_message=f"the process that ran it {ended}, before it could tell an outcome"
        + (f": {detail}" if detail else ""),
        retriable=True,
        started_ms=started_ms,
        ended_ms=ended_ms,
        exit_code=ended.code,
        signal=ended.signal,
        peak_memory_bytes=ended.usage.peak_memory_bytes,
        cpu_us=ended.usage.cpu_us,
        isolation=isolation,
    )


class Refused(Exception):
    """An attempt can't be run as its task is defined; `end` says so to people."""

    def __init__(self, end: End) -> None:
        super().__init__(end.error_message)
        self.end = end
