"""What the orchestrator is told beside results: starts, heartbeats, logs, offers. Lost with the connection, but for
the logs: what runs is told again by the Hello, and the rest is told anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shepherd.wire.messages import (
    AttemptsStarted,
    AttemptStarted,
    ClientMsg,
    LogOpened,
    LogsOpened,
    Offers,
    TaskHeartbeat,
    TaskHeartbeats,
    TaskOffer,
)

MOST_LOGS = 1_000


class News:
    """Bundles what is new until it can be sent. `wake` is called when something is."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._started: list[AttemptStarted] = []
        self._heartbeats: dict[tuple[str, int], TaskHeartbeat] = {}
        self._logs: list[LogOpened] = []
        self._offers: list[TaskOffer] | None = None

    def started(self, task_id: str, attempt: int, started_ms: int) -> None:
        """An attempt runs."""
        self._started.append(AttemptStarted(task_id=task_id, attempt=attempt, started_ms=started_ms))
        self._wake()

    def heartbeat(self, task_id: str, attempt: int, time_ms: int, note: str) -> None:
        """An attempt says how far it is; of several, the last counts."""
        message = TaskHeartbeat(task_id=task_id, attempt=attempt, time_ms=time_ms, note=note)
        self._heartbeats[task_id, attempt] = message
        self._wake()

    def log_opened(self, task_id: str, attempt: int, sink: str, locator: str) -> None:
        """The log of an attempt is to be found there."""
        self._logs.append(LogOpened(task_id=task_id, attempt=attempt, sink=sink, locator=locator))
        self._wake()

    def offers(self, offers: Iterable[TaskOffer]) -> None:
        """What this shepherd can run now."""
        self._offers = list(offers)
        self._wake()

    def reconnected(self) -> None:
        """The Hello has told what runs and what is offered."""
        self._started.clear()
        self._heartbeats.clear()
        self._offers = None

    def forget_all(self) -> None:
        """The other end knows nothing of all this."""
        self.reconnected()
        self._logs.clear()

    def next_message(self) -> ClientMsg | None:
        """What to send next; None: nothing."""
        if self._offers is not None:
            offers, self._offers = self._offers, None
            return ClientMsg(offers=Offers(offers=offers))
        if self._started:
            started, self._started = self._started, []
            return ClientMsg(started=AttemptsStarted(started=started))
        if self._logs:
            logs, self._logs = self._logs[:MOST_LOGS], self._logs[MOST_LOGS:]
            return ClientMsg(logs=LogsOpened(opened=logs))
        if self._heartbeats:
            heartbeats, self._heartbeats = list(self._heartbeats.values()), {}
            return ClientMsg(heartbeats=TaskHeartbeats(heartbeats=heartbeats))
        return None
