"""A thousand light tasks from ten clients at once, with failures and retries drawn from a seed.

What must come of it is known beforehand: how many succeed, fail and die, and how many attempts all of that takes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

import pytest

from sandbox.client import AsyncClient
from sandbox.model.retry_policy import RetryPolicy, WaitStrategy
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from tests.support.environments import RunningEnvironment

TASKS, CLIENTS, MAX_ATTEMPTS = 1_000, 10, 4
POLICY = RetryPolicy(
    max_attempts=MAX_ATTEMPTS, strategy=WaitStrategy.FIXED, delay=0, include_errors=("ValueError",)
).checked()


@dataclass(frozen=True, slots=True)
class Plan:
    """One task, and what must become of it."""

    fail_first: int
    fatal: bool

    @property
    def status(self) -> TaskStatus:
        if self.fatal:
            return TaskStatus.FAILED
        return TaskStatus.DEAD if self.fail_first >= MAX_ATTEMPTS else TaskStatus.SUCCEEDED

    @property
    def attempts(self) -> int:
        return 1 if self.fatal else min(self.fail_first + 1, MAX_ATTEMPTS)


def plans(seed: int) -> list[Plan]:
    draw = random.Random(seed)
    return [
        Plan(fail_first=draw.choices(range(6), weights=(60, 14, 10, 6, 5, 5))[0], fatal=draw.random() < 0.05)
        for _ in range(TASKS)
    ]


async def one_client(environment: RunningEnvironment, number: int, mine: list[Plan]) -> list[tuple[Plan, EndedTask]]:
    """Submit one after another, over one of the two doors, then wait for all."""
    transport = "grpc" if number % 2 else "http"
    async with AsyncClient(environment.url, transport=transport, grpc_target=environment.grpc) as client:
        handles = [await client.submit("stress", [plan.fail_first, plan.fatal], retry_policy=POLICY) for plan in mine]
        ended = await client.wait_all(handles)
        return [(plan, ended[handle.task_id]) for plan, handle in zip(mine, handles, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 20_240_817])
async def test_counts_are_what_the_seed_says(environment: RunningEnvironment, seed: int) -> None:
    planned = plans(seed)
    clients = (one_client(environment, number, planned[number::CLIENTS]) for number in range(CLIENTS))
    found = [pair for pairs in await asyncio.gather(*clients) for pair in pairs]

    assert len({ended.task_id for _, ended in found}) == TASKS
    wrong = [(plan, ended) for plan, ended in found if (plan.status, plan.attempts) != (ended.status, ended.attempt)]
    assert wrong == []

    # The same from the database: the tasks, and the attempts as single events.
    async with AsyncClient(environment.url) as client:
        by_status = await client.sql("select status, count(*) from tasks group by status")
        attempts = await client.sql(
            "select count(*) from events where type = (select type from event_types where word = 'attempt-ended')"
        )
    assert {TaskStatus(status): count for status, count in by_status.rows} == Counter(p.status for p in planned)
    assert attempts.rows == [[sum(plan.attempts for plan in planned)]]


def test_the_plan_has_every_kind_of_end() -> None:
    for seed in (1, 20_240_817):
        assert {plan.status for plan in plans(seed)} == {TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.DEAD}
        assert plans(seed) == plans(seed)
