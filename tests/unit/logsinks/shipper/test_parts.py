from __future__ import annotations

from pathlib import Path

from logsinks.contract import BatchRule
from logsinks.errors import Busy, Denied
from logsinks.record import Record, Stream
from logsinks.shipper.attempts import Shipping
from logsinks.shipper.batching import Gathering
from logsinks.shipper.positions import Position, Positions
from logsinks.shipper.retrying import DENIED_S, FIRST_S, LONGEST_S, Breaker
from logsinks.testing.conformance import an_attempt, some_records


def test_waits_grow_to_a_bound_with_jitter():
    low, high = Breaker(lambda: 0.0), Breaker(lambda: 0.999)
    waits = [(low.failed(Busy("x")), high.failed(Busy("x"))) for _ in range(20)]
    assert waits[0][0] >= FIRST_S / 2
    assert waits[0][1] < FIRST_S
    assert waits[-1][1] < LONGEST_S
    assert waits[-1][0] == LONGEST_S / 2
    low.succeeded()
    assert low.failed(Busy("x")) == FIRST_S / 2


def test_a_sink_may_say_when_to_come_again():
    assert Breaker(lambda: 0.0).failed(Busy("x", after=7)) == 7
    assert Breaker(lambda: 0.0).failed(Denied("x")) == DENIED_S


def test_batches_are_due_by_bytes_count_and_age():
    gathering = Gathering(BatchRule(max_bytes=10, max_records=3, max_age_s=5))
    assert gathering.due_at() is None
    one, two, three = some_records(b"1234", b"5678", b"9")
    gathering.add(one, 100.0)
    gathering.add(two, 103.0)
    assert gathering.due_at() == 105.0
    gathering.add(three, 104.0)
    assert gathering.due_at() == 0.0
    gathering.skip_to(5)
    assert [(record.offset, record.data) for record in gathering.records] == [(5, b"678"), (8, b"9")]
    gathering.clear()
    assert gathering.due_at() is None


def test_a_gap_at_the_watermark_stays():
    gathering = Gathering(BatchRule())
    gathering.add(Record(1, Stream.GAP, b"", 4, 9), 0.0)
    gathering.skip_to(4)
    assert len(gathering.records) == 1
    gathering.skip_to(5)
    assert gathering.records == []


def test_what_is_nowhere_any_more_becomes_a_gap():
    """The sink lost what it had, and the spool has it no more: what follows moves up."""
    shipping = Shipping(an_attempt(), BatchRule(), end=100, lines=3)
    shipping.add(Record(1, Stream.OUT, b"rest\n", 100), 0.0, "a")
    shipping.finish(2, interrupted=False)
    shipping.go_on_at(40)
    assert [(r.stream, r.offset, r.missing_bytes) for r in shipping.gathered.records] == [
        (Stream.GAP, 40, 60),
        (Stream.OUT, 40, 0),
    ]
    assert shipping.trailer is not None
    assert (shipping.trailer.bytes, shipping.trailer.missing_bytes, shipping.trailer.sha256) == (45, 60, "")


def test_positions_and_back(tmp_path: Path):
    positions = Positions(tmp_path / "positions", "a/b")
    assert positions.load() == {}
    saved = {"x": Position(5, frozenset({("t", 1)})), "y": Position(0, frozenset())}
    positions.save(saved)
    assert positions.load() == saved
    assert [path.name for path in (tmp_path / "positions").iterdir()] == ["a%2Fb.json"]
