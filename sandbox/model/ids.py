"""Task ids: UUIDs of version 8 that sort by time and say their domain.

::

     0                   1                   2                   3
    ├───────────── 48 bits: Unix time in ms ──────────────┤
    ├ 4: version 8 ┤ 12 bits: number of the domain ┤
    ├ 2: variant ┤ 22 bits: counter within the ms ┤ 40 bits: random ┤

The counter starts at a random place in its lower half each millisecond, so ids of one process rise
strictly; random bits keep ids apart over restarts and clocks that were set back.
Source of the layout: RFC 9562, section 5.8 (UUIDv8).
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.model.clock import Clock

MAX_DOMAIN_NUMBER = 0xFFF
"""More domains than these share the number 0xFFF in ids; nothing else depends on it."""

_LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, the last that `datetime` knows."""

_COUNTER_BITS = 22
_RANDOM_BITS = 40


class TaskIds:
    """Makes ids. One per orchestrator; not thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._now_ms = clock.now_ms
        self._bits = random.SystemRandom().getrandbits
        self._fast = random.Random(self._bits(64)).getrandbits
        self._ms = 0
        self._counter = 0

    def make(self, domain_number: int) -> str:
        """A new id, lower-case with hyphens, greater than every id made before."""
        now = self._now_ms()
        if now > self._ms:
            self._ms = now
            self._counter = self._fast(_COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._ms += 1
                self._counter = self._fast(_COUNTER_BITS - 1)
        ms = self._ms
        low = (0b10 << 62) | (self._counter << _RANDOM_BITS) | self._fast(_RANDOM_BITS)
        number = min(MAX_DOMAIN_NUMBER, domain_number)
        text = f"{(ms << 80) | (0x8 << 76) | (number << 64) | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedId:
    """What an id says of itself."""

    task_id: str
    created: datetime
    domain_number: int
    counter: int


def normalize(text: str) -> str:
    """Any spelling of a UUID as ids are kept: lower-case with hyphens. ValueError if it is none."""
    return str(uuid.UUID(text))


def explain(text: str) -> ExplainedId:
    """Take an id apart. ValueError if it is no UUID, or none of ours (version 8, a time before the year 10000)."""
    value = uuid.UUID(text)
    if value.version != 8:
        raise ValueError(f"{text} is a UUID of version {value.version}; ids of azolla-local have version 8")
    number = value.int
    if number >> 80 > _LAST_MS:
        raise ValueError(f"{text} is dated after the year 9999, so it is no id of azolla-local")
    low = number & ((1 << 62) - 1)
    return ExplainedId(
        task_id=str(value),
        created=datetime.fromtimestamp((number >> 80) / 1000, UTC),
        domain_number=(number >> 64) & 0xFFF,
        counter=low >> _RANDOM_BITS,
    )
