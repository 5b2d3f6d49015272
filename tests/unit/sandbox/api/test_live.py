"""Streams: joined when they come fast, in order, with errors told at their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox.api.rest.live import together


async def numbers(count: int, *, gate: asyncio.Event | None = None, fail: bool = False) -> AsyncIterator[int]:
    for number in range(count):
        if gate is not None and number == 1:
            await gate.wait()
        yield number
    if fail:
        raise ValueError("broken")


def encode(number: int) -> bytes:
    return b"%d\n" % number


async def test_what_is_ready_travels_together() -> None:
    pieces = [piece async for piece in together(numbers(10_000), encode)]
    assert b"".join(pieces) == b"".join(encode(number) for number in range(10_000))
    assert len(pieces) < 10


async def test_nothing_waits_for_what_is_not_there_yet() -> None:
    gate = asyncio.Event()
    pieces = together(numbers(2, gate=gate), encode)
    assert await anext(pieces) == b"0\n"
    gate.set()
    assert await anext(pieces) == b"1\n"
    assert await anext(pieces, None) is None


async def test_a_slow_reader_holds_the_source_back() -> None:
    made: list[int] = []

    def heavy(number: int) -> bytes:
        made.append(number)
        return b"x" * 100_000

    pieces = together(numbers(100), heavy)
    await anext(pieces)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(made) <= 8
    await pieces.aclose()  # type: ignore[attr-defined]


async def test_an_error_comes_after_what_was_before_it() -> None:
    pieces = together(numbers(3, fail=True), encode)
    assert await anext(pieces) == b"0\n1\n2\n"
    with pytest.raises(ValueError, match="broken"):
        await anext(pieces)


async def test_a_reader_that_leaves_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    pieces = together(source(), encode)
    await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    assert closed.is_set()
