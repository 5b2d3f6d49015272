from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from logsinks.errors import SpoolDamaged, SpoolNotFound
from logsinks.spool import layout
from logsinks.spool.budget import REREAD_S, Budget
from logsinks.spool.reader import SegmentReader, segments
from logsinks.spool.recovery import recover, settle
from logsinks.spool.writer import SpoolWriter

UNIT = "0" * 24


def frame(stream: int, payload: bytes = b"", tag: int = 1, flags: int = 0) -> list[bytes | memoryview]:
    return [layout.frame_header(5, stream, flags, tag, payload), payload]


def closed(writer: SpoolWriter) -> None:
    for fd in writer.take_dirty()[1]:
        os.close(fd)


def test_the_format_is_what_the_page_says(tmp_path: Path):
    """A change here is a change of the format: raise its version."""
    writer = SpoolWriter(str(tmp_path), UNIT, lambda: 7)
    writer.append(frame(layout.OUT, b"hello\n"))
    writer.finish()
    closed(writer)
    assert (tmp_path / f"{UNIT}-00000001.spool").read_bytes().hex(" ", 2) == (
        "415a 4c53 504f 4f4c 0100 0000 0000 0000 "
        "0600 0000 9560 e353 0500 0000 0000 0000 0100 0100 0000 6865 6c6c 6f0a "
        "0000 0000 b442 bbe4 0700 0000 0000 0000 0500 0000 0000"
    )


def test_a_reader_waits_at_what_is_being_written(tmp_path: Path):
    writer = SpoolWriter(str(tmp_path), UNIT, lambda: 7)
    writer.append(frame(layout.OUT, b"whole"))
    path = tmp_path / segments(tmp_path)[0]
    half = b"".join(frame(layout.OUT, b"half of it"))
    reader = SegmentReader(path)
    with path.open("ab") as file:
        file.write(half[:-3])
        file.flush()
        assert [found.payload for found in reader.read()] == [b"whole"]
        assert reader.read() == []
        file.write(half[-3:])
    assert [found.payload for found in reader.read()] == [b"half of it"]
    assert reader.backlog() == 0
    assert not reader.closed
    reader.close()
    writer.finish()
    closed(writer)


def test_nothing_of_ours_is_no_spool(tmp_path: Path):
    path = tmp_path / layout.segment_name(UNIT, 1)
    path.write_bytes(b"something else entirely")
    reader = SegmentReader(path)
    with pytest.raises(SpoolDamaged):
        reader.read()
    reader.close()
    with pytest.raises(SpoolNotFound):
        SegmentReader(tmp_path / layout.segment_name(UNIT, 2))
    with pytest.raises(SpoolNotFound):
        segments(tmp_path / "none")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The disk gets full in the middle: what was begun is taken back, and written when there is room."""
    writer = SpoolWriter(str(tmp_path), UNIT, lambda: 7)
    writer.append(frame(layout.OUT, b"first"))
    before = (tmp_path / segments(tmp_path)[0]).read_bytes()
    real = os.writev

    def full(fd: int, pieces: list[bytes]) -> int:
        real(fd, [b"".join(pieces)[:10]])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(OSError, match="No space"):
        writer.append(frame(layout.OUT, b"second"))
    assert (tmp_path / segments(tmp_path)[0]).read_bytes() == before
    monkeypatch.undo()
    writer.append(frame(layout.OUT, b"second"))
    reader = SegmentReader(tmp_path / segments(tmp_path)[0])
    assert [found.payload for found in reader.read()] == [b"first", b"second"]
    reader.close()
    writer.finish()
    closed(writer)


def test_recovery_ends_what_nobody_goes_on_with(tmp_path: Path):
    writer = SpoolWriter(str(tmp_path), UNIT, lambda: 7)
    begin = layout.COUNTS.pack(100, 3)
    writer.append(frame(layout.BEGIN, begin + b"one", 1) + frame(layout.BEGIN, begin + b"two", 2))
    writer.append(frame(layout.OUT, b"a\nb\n", 1) + frame(layout.OUT, b"c\n", 2))
    (found,) = recover(str(tmp_path), lambda: 8)
    assert [(one.identity, one.bytes, one.lines) for one in found.unended] == [(b"one", 104, 5), (b"two", 102, 4)]
    settle(found, {2}, lambda: 9)
    reader = SegmentReader(tmp_path / segments(tmp_path)[0])
    *_, end, close = reader.read()
    assert (end.stream, end.flags, end.tag, layout.COUNTS.unpack(end.payload)) == (
        layout.END,
        layout.INTERRUPTED,
        1,
        (104, 5),
    )
    assert close.stream == layout.CLOSE
    assert recover(str(tmp_path), lambda: 8) == []
    reader.close()
    os.close(writer._fd)


def test_the_budget_reads_the_folder_when_its_count_says_full(tmp_path: Path):
    now = [0.0]
    budget = Budget(str(tmp_path), lambda: now[0])
    budget.total_bytes, budget.unit_bytes = 1000, 600
    path = tmp_path / layout.segment_name(UNIT, 1)
    path.write_bytes(b"x" * 700)
    budget.add(UNIT, 500)
    assert not budget.full(UNIT)
    budget.add(UNIT, 200)
    now[0] += REREAD_S
    assert budget.full(UNIT)
    assert not budget.full("1" * 24)
    assert "attempt" in budget.why(UNIT)
    path.unlink()
    assert budget.full(UNIT), "the folder is read only so often"
    now[0] += REREAD_S
    assert not budget.full(UNIT)
    budget.add("1" * 24, 300)
    budget.add("2" * 24, 900)
    assert budget.all_full
    assert "the spool is full" in budget.why("1" * 24)
