"""From raw durations to figures. Durations are seconds inside, and get their unit where they are shown."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass


def percentile(durations: Sequence[float], share: float) -> float:
    """The smallest duration that at least `share` (0 to 1) of them don't exceed. ValueError without any."""
    if not durations:
        raise ValueError("no durations, no percentile")
    ordered = sorted(durations)
    place = -(-len(ordered) * share // 1)  # rounded up
    return ordered[min(len(ordered), max(1, int(place))) - 1]


@dataclass(frozen=True, slots=True)
class Samples:
    """Durations of single calls, and how long all of them took."""

    durations: tuple[float, ...]
    elapsed: float

    @property
    def p50(self) -> float:
        return percentile(self.durations, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.durations, 0.99)

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.durations) / self.elapsed


async def one_after_another(call: Callable[[], Awaitable[object]], count: int, *, warm_up: int = 0) -> Samples:
    """Time `count` calls, each started when the one before is done. The warm-up is not counted."""
    for _ in range(warm_up):
        await call()
    durations: list[float] = []
    began = time.perf_counter()
    for _ in range(count):
        start = time.perf_counter()
        await call()
        durations.append(time.perf_counter() - start)
    return Samples(tuple(durations), time.perf_counter() - began)


async def alternating(
    subjects: Mapping[str, Callable[[], Awaitable[Samples]]], rounds: int
) -> dict[str, tuple[Samples, ...]]:
    """Measure the subjects in turn, round by round, so that what the machine does meanwhile hits all alike."""
    found: dict[str, list[Samples]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            found[name].append(await subject())
    return {name: tuple(samples) for name, samples in found.items()}


def median_p50(rounds: Sequence[Samples]) -> float:
    """The median over the rounds of their medians."""
    return statistics.median(samples.p50 for samples in rounds)


def median_rate(rounds: Sequence[Samples]) -> float:
    """The median over the rounds of their rates."""
    return statistics.median(samples.rate for samples in rounds)
