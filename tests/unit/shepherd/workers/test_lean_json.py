from __future__ import annotations

import json

import pytest

from shepherd.workers import lean_json
from shepherd.workers.lean_json import dumps, loads


@pytest.mark.parametrize(
    "text",
    [
        "1",
        '"a"',
        " [1, 2.5e3] \n",
        '{"a": {"b": null}}',
        "true",
        '"\\ud83d\\ude00 é"',
        "123456789012345678901234567890",
    ],
)
def test_it_reads_what_json_reads(text: str) -> None:
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["", " ", "[1", "[1]x", "{'a': 1}", "NaN", "[Infinity]", "-Infinity", "nul", '"\x01"', "1 2", "[" * 100_000]
)
def test_it_refuses_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|json|Expecting|delimiter|control|deeply"):
        loads(text)


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, 'é\n"\\', [], {}, {"a": [1, (2, 3)]}, {1: 2, None: 3, False: 4}]
)
def test_it_writes_what_json_writes(value: object) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def test_what_cant_be_written_leaves_no_trace() -> None:
    circle: list[object] = []
    circle.append(circle)
    inner = [1]
    for wrong in (object(), {1, 2}, [inner, object()], circle, float("nan"), [float("inf")], {"a": b""}, {(1,): 2}):
        with pytest.raises((TypeError, ValueError)):
            dumps(wrong)
        assert dumps([inner, inner]) == "[[1],[1]]"


def test_too_deep() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="deeply"):
        dumps(deep)


def test_the_plain_way_does_the_same() -> None:
    scan, encoder = lean_json._plain()
    assert scan('{"a": 1} ', 0) == ({"a": 1}, 8)
    assert "".join(encoder()({"a": [1, "é"]}, 0)) == '{"a":[1,"é"]}'
    with pytest.raises(ValueError, match="NaN"):
        scan("NaN", 0)
