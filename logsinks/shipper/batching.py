"""Gathers records of one attempt until they are worth a call: by bytes, count and age."""

from __future__ import annotations

from logsinks.contract import BatchRule
from logsinks.record import Record, Stream


class Gathering:
    """Records that a sink hasn't got yet, in their order. Neighbours of one stream and moment become one."""

    __slots__ = ("_rule", "bytes", "records", "since")

    def __init__(self, rule: BatchRule) -> None:
        self._rule = rule
        self.records: list[Record] = []
        self.bytes = 0
        self.since = 0.0
        """When the first of them came, on the clock that `add` was given."""

    def add(self, record: Record, now: float) -> None:
        """One more, which follows the last."""
        if not self.records:
            self.since = now
        self.records.append(record)
        self.bytes += len(record.data)

    def due_at(self) -> float | None:
        """The moment at which they must go; None if there are none. In the past: now."""
        if not self.records:
            return None
        if self.bytes >= self._rule.max_bytes or len(self.records) >= self._rule.max_records:
            return 0.0
        return self.since + self._rule.max_age_s

    def skip_to(self, watermark: int) -> None:
        """Forget what lies before an offset: the sink has it. A gap exactly there stays."""
        kept: list[Record] = []
        for record in self.records:
            if record.end > watermark or (record.stream is Stream.GAP and record.offset >= watermark):
                if record.offset < watermark:
                    cut = record.data[watermark - record.offset :]
                    kept.append(record._replace(data=cut, offset=watermark))
                else:
                    kept.append(record)
        self.records = kept
        self.bytes = sum(len(record.data) for record in kept)

    def clear(self) -> None:
        """The sink has all of them."""
        self.records = []
        self.bytes = 0
