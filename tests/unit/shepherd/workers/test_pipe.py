from __future__ import annotations

import pytest

from shepherd.workers.pipe import LENGTH, MAX_FRAME_BYTES, Decoder, FramingLost, encode, encode_all

MESSAGES = [{"t": "a", "n": 1}, {"t": "é\u2028", "x": [None, True, 1.5, {"y": "z" * 500}]}, {}]


@pytest.mark.parametrize("step", [1, 3, 7, 64, 10_000])
def test_frames_survive_any_cut(step: int) -> None:
    data = encode_all(MESSAGES)
    decoder = Decoder()
    found = [message for at in range(0, len(data), step) for message in decoder.feed(data[at : at + step])]
    assert found == MESSAGES
    assert decoder.pending_bytes == 0


def test_an_unfinished_frame_waits() -> None:
    decoder = Decoder()
    assert decoder.feed(encode({"a": 1})[:-1]) == []
    assert decoder.pending_bytes == len(encode({"a": 1})) - 1


@pytest.mark.parametrize(
    "data", [LENGTH.pack(MAX_FRAME_BYTES + 1), LENGTH.pack(2) + b"[]", LENGTH.pack(1) + b"{", LENGTH.pack(1) + b"\xff"]
)
def test_nonsense_is_told(data: bytes) -> None:
    with pytest.raises(FramingLost):
        Decoder().feed(data)


def test_a_message_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shepherd.workers.pipe.MAX_FRAME_BYTES", 10)
    with pytest.raises(ValueError, match="larger than a frame"):
        encode({"a": "x" * 10})
