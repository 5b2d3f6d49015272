from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from logsinks.contract import Batch
from logsinks.record import Record, Stream
from logsinks.sinks.stdout.config import StdoutConfig
from logsinks.sinks.stdout.sink import StdoutSink
from logsinks.testing.conformance import a_trailer, an_attempt, some_records


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for fd in ends:
        os.close(fd)


async def test_json_lines(pipe: tuple[int, int]):
    sink = StdoutSink(StdoutConfig(), pipe[1])
    records = some_records(b"one\ntw", b"err \xff\n", b"o\n")
    await sink.store(Batch(an_attempt(), records), a_trailer(b"".join(record.data for record in records)))
    lines = [json.loads(line) for line in os.read(pipe[0], 65536).splitlines()]
    assert [(line["stream"], line.get("text"), line.get("base64")) for line in lines] == [
        ("out", "one", None),
        ("err", None, "ZXJyIP8="),
        ("out", "two", None),
    ]
    assert lines[0]["time"] == "2026-03-14T15:09:26.000000Z"
    assert lines[0]["task_id"] == an_attempt().task_id


async def test_plain_lines_are_harmless(pipe: tuple[int, int]):
    sink = StdoutSink(StdoutConfig(json=False), pipe[1])
    gap = Record(1, Stream.GAP, b"", 7, 10)
    await sink.store(Batch(an_attempt(), [*some_records(b"\x1b[2Jone"), gap]), a_trailer(b""))
    first, second = os.read(pipe[0], 65536).decode().splitlines()
    assert first.endswith(f"{an_attempt().task_id}/1 out ␛[2Jone")
    assert "10 bytes are missing" in second


async def test_a_repeat_prints_once(pipe: tuple[int, int]):
    sink = StdoutSink(StdoutConfig(), pipe[1])
    await sink.open(an_attempt())
    batch = Batch(an_attempt(), some_records(b"one\n"))
    assert await sink.write(batch) == 4
    assert await sink.write(batch) == 4
    assert len(os.read(pipe[0], 65536).splitlines()) == 1


async def test_a_reader_that_is_stuck_costs_lines_and_no_wait(pipe: tuple[int, int]):
    sink = StdoutSink(StdoutConfig(), pipe[1])
    for number in range(1, 200):
        data = b"x" * 2000 + b"\n"
        await sink.store(Batch(an_attempt(number), some_records(data)), a_trailer(data))
    assert sink.dropped_lines > 0
    text = os.read(pipe[0], 1 << 20)
    assert len(text.splitlines()) + sink.dropped_lines >= 199
    await sink.store(Batch(an_attempt(500), some_records(b"after\n")), a_trailer(b"after\n"))
    last = os.read(pipe[0], 65536).splitlines()[-1]
    assert json.loads(last)["text"] == "after"


async def test_it_is_best_effort_and_says_so(pipe: tuple[int, int]):
    sink = StdoutSink(StdoutConfig(), pipe[1])
    assert sink.capabilities.best_effort
    assert sink.reader() is None
    assert (await sink.check()).ok
    assert not (await StdoutSink(StdoutConfig(), 999).check()).ok
