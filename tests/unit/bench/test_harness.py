from __future__ import annotations

import pytest

from bench.harness.disk import in_place_fdatasync
from bench.harness.measure import Samples, alternating, median_p50, one_after_another, percentile
from bench.harness.ratio import Bar, Verdict
from bench.harness.table import Row, milliseconds, show


def test_percentile() -> None:
    durations = [float(n) for n in range(100, 0, -1)]
    assert percentile(durations, 0.5) == 50
    assert percentile(durations, 0.99) == 99
    assert percentile(durations, 1) == 100
    assert percentile([3.0], 0) == 3
    with pytest.raises(ValueError, match="no durations"):
        percentile([], 0.5)


def test_rate_is_calls_over_the_whole_time() -> None:
    assert Samples((0.1, 0.1), 0.5).rate == 4


async def test_warm_up_is_not_counted() -> None:
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1

    samples = await one_after_another(call, 5, warm_up=2)
    assert (calls, len(samples.durations)) == (7, 5)


async def test_subjects_take_turns() -> None:
    order: list[str] = []

    def subject(name: str):
        async def measured() -> Samples:
            order.append(name)
            return Samples((float(len(order)),), 1)

        return measured

    found = await alternating({"a": subject("a"), "b": subject("b")}, rounds=3)
    assert order == ["a", "b"] * 3
    assert median_p50(found["a"]) == 3
    assert median_p50(found["b"]) == 4


def test_fdatasync_leaves_nothing_behind(tmp_path) -> None:
    assert len(in_place_fdatasync(tmp_path, 3, 0.0).durations) == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bar", "value", "met"),
    [
        (Bar(at_most=1.5), 1.5, True),
        (Bar(at_most=1.5), 1.51, False),
        (Bar(at_least=0.6), 0.6, True),
        (Bar(at_least=0.6), 0.59, False),
    ],
)
def test_bars(bar: Bar, value: float, met: bool) -> None:
    assert bar.met(value) is met
    assert ("met" in str(Verdict(value=value, bar=bar))) is met


def test_units() -> None:
    assert [milliseconds(s) for s in (0.000_42, 0.012_3, 1.3)] == ["0.42 ms", "12 ms", "1.30 s"]


def test_plain_table_lines_up(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row(what="short", ours="1/s", peers={"peer": "2/s"}),
        Row(what="a longer one", ours="1,000/s", verdict=Verdict(value=2, bar=Bar(at_least=1, of="echo"))),
    ]
    show(rows, ["peer"], ["a note"])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines[0] == "what          azolla-local  peer  bar"
    assert lines[1] == "short         1/s           2/s"
    assert lines[2] == "a longer one  1,000/s       -     2.00 (met: ≥ 1.00 times echo)"
    assert lines[3] == "a note"
