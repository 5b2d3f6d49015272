from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsinks.capture import channel


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 3), st.binary(max_size=50)), max_size=20),
    st.lists(st.integers(1, 30)),
)
def test_frames_arrive_however_they_are_cut(frames: list[tuple[int, int, bytes]], cuts: list[int]):
    data = b"".join(channel.frame(*one) for one in frames)
    parser = channel.FrameParser()
    found: list[tuple[int, int, bytes]] = []
    for cut in cuts:
        found += parser.feed(data[:cut])
        data = data[cut:]
    found += parser.feed(data)
    assert found == frames


def test_long_output_is_divided():
    pieces = channel.output_frames(1, channel.OUT, b"x" * (channel.MAX_PAYLOAD * 2 + 1))
    found = channel.FrameParser().feed(b"".join(pieces))
    assert [len(payload) for _, _, payload in found] == [channel.MAX_PAYLOAD, channel.MAX_PAYLOAD, 1]


def test_a_frame_can_be_too_long():
    with pytest.raises(ValueError, match="65536"):
        channel.frame(1, channel.OUT, b"x" * (channel.MAX_PAYLOAD + 1))


@pytest.mark.parametrize("data", [channel.FRAME.pack(1, 4, 0), channel.FRAME.pack(1, 1, channel.MAX_PAYLOAD + 1)])
def test_what_cant_be_measured_breaks_the_channel(data: bytes):
    with pytest.raises(channel.BrokenChannel):
        channel.FrameParser().feed(data)
