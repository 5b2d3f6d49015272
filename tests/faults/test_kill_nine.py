"""kill -9 of orchestrator or shepherd, twenty times under load at random moments: no acknowledged task is lost.

The moments are drawn from a seed, as numbers of acknowledged tasks, so no clock takes part.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.client import Client
from sandbox.errors import Unavailable
from sandbox.model.status import TaskStatus
from tests.support.environments import PARTS, RunningEnvironment

KILLS = 20
LOADERS = 4
SEED = int(os.environ.get("AZOLLA_TEST_SEED", "20240817"))


class Load:
    """Clients that submit without pause. A task counts once its id has come back."""

    def __init__(self, environment: RunningEnvironment) -> None:
        self._environment = environment
        self._more = threading.Condition()
        self._over = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.errors: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._submit, args=(number,)) for number in range(LOADERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def after(self, count: int) -> None:
        """Return when so many more tasks have been acknowledged."""
        with self._more:
            wanted = len(self.acknowledged) + count
            came = self._more.wait_for(lambda: len(self.acknowledged) >= wanted or self.errors, timeout=60)
        assert not self.errors, self.errors
        assert came, f"no {count} tasks were acknowledged within a minute\n{self._environment.logs()}"

    def _submit(self, number: int) -> None:
        count = 0
        try:
            with Client(self._environment.url) as client:
                while not self._over.is_set():
                    key = f"{number}-{count}"
                    try:
                        task_id = client.submit("echo", [key], key=key).task_id
                    except Unavailable:
                        # Not acknowledged. The same again, under the same key; the door opens at its own pace.
                        self._over.wait(0.02)
                        continue
                    count += 1
                    with self._more:
                        self.acknowledged[task_id] = key
                        self._more.notify_all()
        except BaseException as error:
            with self._more:
                self.errors.append(error)
                self._more.notify_all()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_acknowledged_task_is_lost(environment: RunningEnvironment) -> None:
    draw = random.Random(SEED)
    load = Load(environment)
    killed: list[str] = []
    with load.running():
        while len(killed) < KILLS:
            load.after(draw.randint(1, 80))
            part = draw.choice(PARTS)
            if environment.kill(part):
                killed.append(part)
    assert set(killed) == set(PARTS)

    environment.must("up")  # returns when the part that was killed last is back: a new client doesn't wait for that
    with Client(environment.url) as client:
        ended = client.wait_all(load.acknowledged, timeout=120)
        assert ended.keys() == load.acknowledged.keys()
        undone = {
            task_id: task.status.word for task_id, task in ended.items() if task.status is not TaskStatus.SUCCEEDED
        }
        assert undone == {}
        # Each key gave one task, though some were submitted several times.
        assert len(set(load.acknowledged.values())) == len(load.acknowledged)
        created = client.sql("select count(*), count(distinct idempotency_key) from tasks").rows[0]
    assert created[0] == created[1]
    assert created[0] >= len(load.acknowledged)
