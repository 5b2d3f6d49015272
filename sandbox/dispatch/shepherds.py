"""Every shepherd that was heard of since the start: connected or not, and until when its lease lasts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.dispatch.connection import Connection, ShepherdInfo
from sandbox.model.clock import Clock
from sandbox.model.retry_policy import RetryPolicy

AZOLLA_LEASE_S = 75.0
"""An Azolla shepherd speaks every 30 s: two of those, and some."""


@dataclass(slots=True)
class KnownShepherd:
    """What is remembered of a shepherd."""

    info: ShepherdInfo
    connection: Connection | None
    last_seen_ms: int
    last_heard: float
    """Monotonic seconds; the lease counts from here."""
    offers: dict[str, RetryPolicy | None] = field(default_factory=dict[str, RetryPolicy | None])
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """Attempts that an Azolla shepherd was sent and has not ended, by task: it tells no attempt numbers."""


class Shepherds:
    """The shepherds by id. One per orchestrator."""

    def __init__(self, clock: Clock, lease_s: float) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._started = clock.monotonic()
        self.known: dict[str, KnownShepherd] = {}
        self.connected: dict[str, Connection] = {}
        self.policies: dict[str, RetryPolicy | None] = {}
        """Retry policies of definitions, by task name, as last told."""

    def connect(self, connection: Connection) -> Connection | None:
        """A shepherd has said hello; the stream that it had before, if any, which is to be closed."""
        shepherd_id = connection.info.shepherd_id
        before = self.connected.get(shepherd_id)
        self.connected[shepherd_id] = connection
        now_ms, now = self._clock.now_ms(), self._clock.monotonic()
        known = KnownShepherd(connection.info, connection, now_ms, now)
        earlier = self.known.get(shepherd_id)
        if earlier is not None:
            known.offers, known.sent = earlier.offers, earlier.sent
        self.known[shepherd_id] = known
        return before

    def disconnect(self, connection: Connection) -> bool:
        """The stream ended; True if it was the shepherd's present one."""
        shepherd_id = connection.info.shepherd_id
        if self.connected.get(shepherd_id) is not connection:
            return False
        del self.connected[shepherd_id]
        self.known[shepherd_id].connection = None
        return True

    def heard(self, shepherd_id: str) -> None:
        """It said something: its lease starts anew."""
        known = self.known.get(shepherd_id)
        if known is not None:
            known.last_heard = self._clock.monotonic()
            known.last_seen_ms = self._clock.now_ms()

    def offer(self, shepherd_id: str, offers: dict[str, RetryPolicy | None]) -> None:
        """The task names that it can run, and the policies of their definitions."""
        known = self.known.get(shepherd_id)
        if known is not None:
            known.offers = offers
        self.policies.update(offers)

    def offered(self) -> set[str] | None:
        """Names that some shepherd can run; None while one is connected that tells no names."""
        names: set[str] = set()
        for known in self.known.values():
            if known.connection is not None and not known.info.speaks_extensions:
                return None
            names.update(known.offers)
        return names

    def lease_left(self, shepherd_id: str) -> float:
        """Seconds until its lease runs out. One not yet seen since the start has a lease from then on."""
        known = self.known.get(shepherd_id)
        if known is None:
            return self._started + self._lease_s - self._clock.monotonic()
        lease = self._lease_s if known.info.speaks_extensions else AZOLLA_LEASE_S
        return known.last_heard + lease - self._clock.monotonic()
