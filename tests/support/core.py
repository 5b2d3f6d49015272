"""The orchestrator's core for tests: engine, store, clock and everything that tests script around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sandbox.dispatch.dispatcher import Dispatcher
from sandbox.dispatch.reception import Reception
from sandbox.dispatch.shepherds import Shepherds
from sandbox.dispatch.waiters import Waiters
from sandbox.model.event import Event, EventType
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import EndedTask, Task
from sandbox.scheduler.commands import Assignment
from sandbox.scheduler.engine import Engine
from sandbox.scheduler.ready import ReadyTasks
from sandbox.scheduler.taskset import TaskSet
from sandbox.service.definitions import DefinitionView
from sandbox.service.tasks import TaskService
from tests.support.factories import SHEPHERD
from tests.support.held_store import HeldStore
from tests.support.manual_clock import ManualClock, settle


class ScriptedDispatch:
    """Implements `sandbox.scheduler.effects.Dispatch`: gives tasks to whoever has `places`, and notes what it is told."""

    def __init__(self) -> None:
        self.places: Counter[str] = Counter()
        self.sent: list[tuple[str, int, str]] = []
        self.cancels: list[tuple[str, int, str]] = []
        self.reaches = True
        self.deadlines = True
        self.policies: dict[str, RetryPolicy] = {}
        self.leases: dict[str, float] = {}
        self.lost_ones: list[str] = []
        self.resets = 0
        self.served: list[TaskSet] = []

    def serve(self, taskset: TaskSet) -> None:
        self.served.append(taskset)

    def choose(self, ready: ReadyTasks) -> list[Assignment]:
        chosen: list[Assignment] = []
        for shepherd_id in list(self.places):
            for _, line in ready.lines():
                while self.places[shepherd_id] > 0 and (task := line.pop()) is not None:
                    chosen.append(Assignment(task.task_id, shepherd_id))
                    self.places[shepherd_id] -= 1
        return chosen

    def send(self, assigned: Sequence[tuple[Task, int]]) -> None:
        self.sent.extend((task.task_id, attempt, task.shepherd_id) for task, attempt in assigned)

    def cancel(self, task: Task, reason: str) -> bool:
        self.cancels.append((task.task_id, task.attempt, reason))
        return self.reaches

    def offered_policy(self, name: str) -> RetryPolicy | None:
        return self.policies.get(name)

    def keeps_deadlines(self, shepherd_id: str) -> bool:
        return self.deadlines

    def lease_left(self, shepherd_id: str) -> float:
        return self.leases.get(shepherd_id, 10.0)

    def lost(self, shepherd_id: str) -> None:
        self.lost_ones.append(shepherd_id)

    def reset(self) -> None:
        self.resets += 1


class Hearers:
    """Implements `sandbox.scheduler.effects.Audience`."""

    def __init__(self) -> None:
        self.ended_tasks: list[EndedTask] = []
        self.rounds_of_news = 0

    def ended(self, tasks: Sequence[EndedTask]) -> None:
        self.ended_tasks.extend(tasks)

    def news(self, events: Sequence[Event]) -> None:
        self.rounds_of_news += 1


class EngineWorld:
    """An engine between a scripted dispatch and an audience that takes notes."""

    def __init__(self, store: HeldStore, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.dispatch = ScriptedDispatch()
        self.audience = Hearers()
        self.engine = Engine(store, self.dispatch, self.audience, clock)

    async def start(self) -> EngineWorld:
        self.engine.start("test")
        await settle()
        return self

    async def crashed(self) -> EngineWorld:
        """A new engine on what the store has; the old one is forgotten without a word."""
        await settle()
        timer = self.engine._alarms._timer
        if timer is not None:
            timer.cancel()
        return await EngineWorld(self.store, self.clock).start()

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()

    async def created(self, **changes: Any) -> Task:
        from tests.support.factories import make_new

        task = self.engine.create(make_new(**changes))
        await self.engine.durable()
        await settle()
        return task

    async def live(self, shepherd_id: str = SHEPHERD, **changes: Any) -> Task:
        """A task whose attempt that shepherd has."""
        self.dispatch.places[shepherd_id] += 1
        task = await self.created(**changes)
        assert task.shepherd_id == shepherd_id
        return task

    def types(self) -> list[str]:
        """The words of all events that were handed to the store."""
        return [event.type.word for group in self.store.groups for event in group.events]

    async def record(self, task_id: str) -> Any:
        return await self.store.reader.task(task_id)

    async def kept_events(self, task_id: str) -> list[str]:
        return [EventType(event.type).word for event in await self.store.reader.events(task_id)]


class NoDefinitions:
    """Implements `sandbox.service.definitions.Definitions`."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def names(self) -> Sequence[str]:
        return self._names

    def views(self) -> tuple[list[DefinitionView], list[str]]:
        return [DefinitionView(name=name, source="tasks.py", kind="python") for name in self._names], []


class CoreWorld:
    """The core as the orchestrator builds it, with a clock that a test moves and a store that it holds."""

    def __init__(self, store: HeldStore, clock: ManualClock, *, names: Sequence[str] = ("render",)) -> None:
        self.store = store
        self.clock = clock
        self.shepherds = Shepherds(clock, lease_s=10)
        self.dispatcher = Dispatcher(self.shepherds)
        self.waiters = Waiters()
        self.engine = Engine(store, self.dispatcher, self.waiters, clock)
        self.reception = Reception(self.shepherds, self.engine, clock)
        self.tasks = TaskService(
            self.engine,
            store.reader,
            self.waiters,
            self.shepherds,
            NoDefinitions(*names),
            clock,
        )

    async def start(self) -> CoreWorld:
        self.engine.start("test")
        await settle()
        return self

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()
