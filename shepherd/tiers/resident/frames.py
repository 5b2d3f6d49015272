"""What the shepherd says to a warm worker."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import orjson

from shepherd.tiers.contract import Order
from shepherd.tiers.resident.worker import frame

HOST = socket.gethostname()

RETIRE = frame({"t": "retire"})


def cancel(order: Order) -> bytes:
    """Ask for the end of an attempt."""
    return frame({"t": "cancel", "key": order.key})


class AttemptFrames:
    """Makes the frames of attempts of one shepherd."""

    def __init__(self, shepherd_id: str) -> None:
        self._shepherd_id = shepherd_id

    def make(self, orders: list[Order], now_ms: int) -> list[bytes]:
        """One frame for each order, in their order; all of them start now."""
        started = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat()
        return [self._one(order, now_ms, started) for order in orders]

    def _one(self, order: Order, now_ms: int, started: str) -> bytes:
        task = order.assignment
        definition = order.definition
        limit = order.time_limit_s
        # The form of `logsinks.identity.AttemptIdentity.to_json`, made here without the detour: this is the hot path.
        identity = orjson.dumps(
            {
                "task_id": task.task_id,
                "attempt": task.attempt,
                "task_name": task.name,
                "domain": task.domain,
                "queue": task.queue,
                "shepherd": self._shepherd_id,
                "host": HOST,
                "started": started,
                "labels": task.labels,
                "flow_id": "",
            }
        ).decode()
        return frame(
            {
                "t": "attempt",
                "key": order.key,
                "task_id": task.task_id,
                "attempt": task.attempt,
                "name": task.name,
                "domain": task.domain,
                "queue": task.queue,
                "function": definition.function,
                "module_path": str(definition.module_path),
                "is_async": definition.is_async,
                "args": task.args,
                "kwargs": task.kwargs,
                "deadline_ms": None if limit is None else now_ms + round(limit * 1000),
                "labels": task.labels,
                "identity": identity,
            }
        )
