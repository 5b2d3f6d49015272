"""One attempt in a resident worker, and the set of those that run in it."""

from __future__ import annotations

from time import monotonic

from shepherd.definitions.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HEARTBEAT_PAUSE_S = 0.05
"""Heartbeats of an attempt that come faster replace each other."""


class ResidentAttempt:
    """The worker's side of an attempt; also what its context asks."""

    __slots__ = (
        "_context",
        "_folder",
        "_last_note",
        "_send_note",
        "key",
        "logged",
        "message",
        "note",
        "running",
        "started_ms",
        "tag",
        "told",
    )

    def __init__(self, message: dict[str, Any], tag: int, send_note: Callable[[str, str], None]) -> None:
        self.key: str = message["key"]
        self.message = message
        self.tag = tag
        self.logged = False
        """Whether it has printed anything."""
        self.running = False
        self.told = False
        """Whether the shepherd knows that it runs."""
        self.started_ms = 0
        self.note: str | None = None
        """A heartbeat that waits to be sent."""
        self._last_note = 0.0
        self._send_note = send_note
        self._context: Context | None = None
        self._folder = ""

    def context(self) -> Context:
        """The context, made when it is first asked for."""
        if self._context is None:
            given = self.message
            self._context = Context(
                task_id=given["task_id"],
                attempt=given["attempt"],
                name=given["name"],
                domain=given["domain"],
                queue=given["queue"],
                side=self,
                deadline_ms=given.get("deadline_ms"),
                labels=given.get("labels"),
            )
        return self._context

    def cancel(self) -> None:
        """Let the task see that it is to end."""
        self.context().mark_cancelled()

    def heartbeat(self, note: str) -> None:
        self.note = note
        if monotonic() - self._last_note >= HEARTBEAT_PAUSE_S:
            self.send_note()

    def send_note(self) -> None:
        """Send the heartbeat that waits, if one does."""
        note = self.note
        if note is not None:
            self.note = None
            self._last_note = monotonic()
            self._send_note(self.key, note)

    def work_folder(self) -> str:
        if not self._folder:
            from tempfile import mkdtemp

            self._folder = mkdtemp(prefix="azolla-")
        return self._folder

    def clean_up(self) -> None:
        """Remove its folder, if it had one."""
        if self._folder:
            from shutil import rmtree

            rmtree(self._folder, ignore_errors=True)


class Running:
    """The attempts that run now, in the order in which they started."""

    __slots__ = ("_attempts",)

    def __init__(self) -> None:
        self._attempts: dict[str, ResidentAttempt] = {}

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, attempt: ResidentAttempt) -> None:
        attempt.running = True
        self._attempts[attempt.key] = attempt

    def remove(self, attempt: ResidentAttempt) -> None:
        attempt.running = False
        self._attempts.pop(attempt.key, None)

    def get(self, key: str) -> ResidentAttempt | None:
        return self._attempts.get(key)

    def all(self) -> list[ResidentAttempt]:
        return list(self._attempts.values())

    def latest(self) -> ResidentAttempt | None:
        """The one that started last; None if none runs."""
        for attempt in reversed(self._attempts.values()):
            return attempt
        return None
