from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logsinks.capture.lines import LineAssembler
from logsinks.record import Record, Stream


def records(*pieces: tuple[Stream, bytes]) -> list[Record]:
    made: list[Record] = []
    offset = 0
    for number, (stream, data) in enumerate(pieces):
        made.append(Record(number, stream, data, offset))
        offset += len(data)
    return made


def test_a_line_may_be_interrupted_by_the_other_stream():
    lines = LineAssembler()
    found = [
        line
        for record in records((Stream.OUT, b"on"), (Stream.ERR, b"err\n"), (Stream.OUT, b"e\ntw"))
        for line in lines.feed(record)
    ]
    found += lines.flush(partial=True)
    assert [(line.stream, line.data, line.offset, line.partial) for line in found] == [
        (Stream.ERR, b"err\n", 2, False),
        (Stream.OUT, b"one\n", 0, False),
        (Stream.OUT, b"tw", 8, True),
    ]
    assert [line.time_ns for line in found] == [1, 0, 2]


def test_a_gap_ends_what_was_begun():
    lines = LineAssembler()
    first, second = records((Stream.OUT, b"half"), (Stream.GAP, b""))
    assert not list(lines.feed(first))
    assert [line.stream for line in lines.feed(second)] == [Stream.OUT, Stream.GAP]
    assert not lines.holds


@given(st.lists(st.binary(max_size=30).map(lambda data: data.replace(b"\x01", b"\n")), max_size=30), st.integers(1, 20))
def test_all_lines_together_are_the_log(pieces: list[bytes], max_line: int):
    lines = LineAssembler(max_line)
    found = [line for record in records(*((Stream.OUT, piece) for piece in pieces)) for line in lines.feed(record)]
    found += lines.flush(partial=False)
    assert b"".join(line.data for line in found) == b"".join(pieces)
    position = 0
    for line in found:
        assert line.offset == position
        assert len(line.data) <= max_line
        assert line.data.count(b"\n") == (1 if line.data.endswith(b"\n") else 0)
        position += len(line.data)
