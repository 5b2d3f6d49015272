from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logsinks.contract import Batch
from logsinks.errors import Denied, LogNotFound, LogPurged, Moved, Refused
from logsinks.record import Record, Stream
from logsinks.registry import open_sink
from logsinks.sinks.local.rotation import AGAIN_S, EVERY_S, Rotation
from logsinks.sinks.local.sink import LocalSink
from logsinks.testing.conformance import a_trailer, an_attempt, some_records, stored


def local(root: Path, options: str = "?template={task_id}") -> LocalSink:
    sink = open_sink(f"file://{root}{options}", "local")
    assert isinstance(sink, LocalSink)
    return sink


async def test_a_short_log_is_one_file_with_the_time_of_its_line(tmp_path: Path):
    sink = local(tmp_path)
    records = some_records(b"one line\n")
    locator = await sink.store(Batch(an_attempt(), records), a_trailer(b"one line\n"))
    assert locator == f"{tmp_path}/{an_attempt().task_id}.log"
    assert os.listdir(tmp_path) == [f"{an_attempt().task_id}.log"]
    (record,) = [record async for record in sink.reader().read(locator)]
    assert record == records[0]
    assert Path(locator).stat().st_mode & 0o777 == 0o640


async def test_the_file_holds_the_bytes_and_nothing_else(tmp_path: Path):
    sink = local(tmp_path)
    locator = await sink.store(Batch(an_attempt(), some_records(b"a", b"\x00", b"c\n")), a_trailer(b"a\x00c\n"))
    assert Path(locator).read_bytes() == b"a\x00c\n"


@pytest.mark.parametrize("cut", range(0, 120, 7))
async def test_an_index_cut_anywhere_is_mended(tmp_path: Path, cut: int):
    sink = local(tmp_path)
    opened = await sink.open(an_attempt())
    await sink.write(Batch(an_attempt(), some_records(b"one\n", b"two\n", b"three\n")))
    await sink.close()
    index = Path(opened.locator).with_suffix(".idx")
    index.write_bytes(index.read_bytes()[: -cut or None])
    again = local(tmp_path)
    assert (await again.open(an_attempt())).watermark == 14
    await again.write(Batch(an_attempt(), some_records(b"four\n", start=14, first_ms=500)))
    await again.seal(an_attempt(), a_trailer(b"one\ntwo\nthree\nfour\n"))
    assert await stored(again, opened.locator) == b"one\ntwo\nthree\nfour\n"
    await again.close()


async def test_no_hole_and_nothing_behind_a_seal(tmp_path: Path):
    sink = local(tmp_path)
    with pytest.raises(Moved) as moved:
        await sink.write(Batch(an_attempt(), some_records(b"x", start=5)))
    assert moved.value.watermark == 0
    await sink.write(Batch(an_attempt(), some_records(b"x\n")))
    await sink.seal(an_attempt(), a_trailer(b"x\n"))
    with pytest.raises(Refused) as refused:
        await sink.write(Batch(an_attempt(), some_records(b"more\n", start=2)))
    assert refused.value.watermark == 7
    await sink.close()


async def test_more_live_logs_than_are_kept_open(tmp_path: Path):
    sink = local(tmp_path)
    for turn in range(2):
        for number in range(1, 151):
            batch = Batch(an_attempt(number), some_records(b"line\n", start=5 * turn, first_ms=turn * 50))
            await sink.write(batch)
    assert {path.read_bytes() for path in tmp_path.glob("*.log")} == {b"line\nline\n"}
    await sink.close()


async def test_a_link_in_the_way_is_not_followed(tmp_path: Path):
    root, outside = tmp_path / "logs", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "report").symlink_to(outside)
    sink = local(root, "?template={task_name}/{task_id}")
    with pytest.raises(OSError, match=r"[Nn]ot a directory|symbolic"):
        await sink.store(Batch(an_attempt(), some_records(b"x\n")), a_trailer(b"x\n"))
    assert list(outside.iterdir()) == []
    await sink.close()


async def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path):
    target = tmp_path / "secret"
    target.write_text("secret")
    root = tmp_path / "logs"
    root.mkdir()
    link = root / "a.log"
    link.symlink_to(target)
    with pytest.raises(LogNotFound):
        await stored(local(root), str(link))


@pytest.mark.parametrize("locator", ["/etc/passwd", "{root}/../secret.log", "{root}/a.idx", "relative.log"])
async def test_a_locator_never_leads_out(tmp_path: Path, locator: str):
    (tmp_path / "secret.log").write_text("secret")
    (tmp_path / "logs").mkdir()
    with pytest.raises(LogNotFound):
        await stored(local(tmp_path / "logs"), locator.format(root=tmp_path / "logs"))


async def test_a_log_that_is_gone_says_so(tmp_path: Path):
    with pytest.raises(LogPurged) as caught:
        await stored(local(tmp_path), f"{tmp_path}/gone.log")
    assert "retention" in caught.value.why


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cant_be_written(tmp_path: Path):
    tmp_path.chmod(0o500)
    sink = local(tmp_path)
    with pytest.raises(Denied):
        await sink.open(an_attempt())
    health = await sink.check()
    assert not health.ok
    assert "writable" in health.checks[0].hint


async def test_a_file_where_a_folder_should_be(tmp_path: Path):
    (tmp_path / "logs").write_text("")
    health = await local(tmp_path / "logs").check()
    assert not health.ok


async def test_it_writes_on_where_retention_removed_the_folder(tmp_path: Path):
    sink = local(tmp_path, "?template={task_name}/{task_id}")
    first = await sink.store(Batch(an_attempt(1), some_records(b"x\n")), a_trailer(b"x\n"))
    Path(first).unlink()
    Path(first).parent.rmdir()
    second = await sink.store(Batch(an_attempt(2), some_records(b"y\n")), a_trailer(b"y\n"))
    assert Path(second).read_bytes() == b"y\n"
    await sink.close()


PIECES = st.lists(st.tuples(st.sampled_from(Stream), st.binary(min_size=1, max_size=9), st.integers(0, 5)), max_size=20)


@given(PIECES, st.lists(st.integers(1, 5), max_size=10), st.integers(0, 100), st.integers(0, 100))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_reading_gives_what_was_written(
    tmp_path: Path, pieces: list[tuple[Stream, bytes, int]], cuts: list[int], first: int, last: int
):
    """Any records, in any batches, any part of them: bytes, streams and gaps."""
    records: list[Record] = []
    offset, time_ns = 0, 10**18
    for stream, data, step in pieces:
        time_ns += step * 400_000
        if stream is Stream.GAP:
            records.append(Record(time_ns, stream, b"", offset, len(data), step))
        else:
            records.append(Record(time_ns, stream, data, offset))
            offset += len(data)
    number = len(list(tmp_path.iterdir())) + 1
    sink = local(tmp_path)
    rest, locator = list(records), (await sink.open(an_attempt(number))).locator
    for cut in [*cuts, len(records)]:
        if rest[:cut]:
            await sink.write(Batch(an_attempt(number), rest[:cut]))
        rest = rest[cut:]
    data = b"".join(record.data for record in records)
    await sink.seal(an_attempt(number), a_trailer(data))
    found = [record async for record in sink.reader().read(locator)]
    assert b"".join(record.data for record in found) == data
    assert streams(found) == streams(records)
    assert [r[2:] for r in found if r.stream is Stream.GAP] == [r[2:] for r in records if r.stream is Stream.GAP]
    assert await stored(sink, locator, first, last) == data[first:last]
    await sink.close()


def streams(records: list[Record]) -> list[Stream]:
    return [record.stream for record in records for _ in record.data]


def test_old_logs_go_and_new_ones_stay(tmp_path: Path):
    now = 1_000_000.0
    for day in range(10):
        folder = tmp_path / f"day{day}"
        folder.mkdir()
        for suffix in (".log", ".idx"):
            path = folder / f"a{suffix}"
            path.write_bytes(b"x" * 100)
            os.utime(path, (now - day * 86_400, now - day * 86_400))
    rotation = Rotation(tmp_path, timedelta(days=4), None, lambda: now)
    assert rotation.due()
    assert rotation.sweep({"day9/a"}) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day0", "day1", "day2", "day3", "day4", "day9"]
    assert not rotation.due()


def test_the_oldest_go_when_it_is_too_much(tmp_path: Path):
    for number in range(10):
        path = tmp_path / f"{number}.log"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + number, 1000 + number))
    rotation = Rotation(tmp_path, None, 350, lambda: 5000.0)
    assert rotation.sweep(set()) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7.log", "8.log", "9.log"]


def test_a_long_sweep_goes_on_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("logsinks.sinks.local.rotation.AT_MOST", 3)
    for number in range(5):
        (tmp_path / f"{number}.log").write_bytes(b"x")
    now = [10**10]
    rotation = Rotation(tmp_path, timedelta(days=1), None, lambda: now[0])
    assert rotation.sweep(set()) == 3
    now[0] += AGAIN_S
    assert rotation.due()
    assert rotation.sweep(set()) == 2
    now[0] += EVERY_S - 1
    assert not rotation.due()


async def test_retention_runs_with_the_sync(tmp_path: Path):
    old = tmp_path / "old.log"
    old.write_bytes(b"x")
    os.utime(old, (1000, 1000))
    sink = local(tmp_path, "?template={task_id}&keep=1d")
    await sink.sync()
    assert not old.exists()
    await sink.close()
