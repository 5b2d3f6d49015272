"""The engine over a store, with every command in any order, refused writes and crashes among them.

After each step: nothing that was acknowledged has disappeared, an attempt is live with one shepherd at most and
no attempt is given out twice, the counts equal a recount, the disk tells the same as the memory, and no task has
gone a way that the table of transitions doesn't have.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sandbox.errors import StoreFull
from sandbox.model.event import EventType
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.status import TRANSITIONS, AttemptOutcome, TaskStatus
from sandbox.model.task import Task
from sandbox.scheduler.commands import AttemptUnderWay
from sandbox.scheduler.retries import MAX_LOST
from tests.support.core import EngineWorld
from tests.support.factories import OTHER_SHEPHERD, SHEPHERD, every_error, make_new, make_result
from tests.support.held_store import HeldStore
from tests.support.manual_clock import ManualClock, settle

SHEPHERDS = (SHEPHERD, OTHER_SHEPHERD)

POLICIES = (None, every_error(max_attempts=2), every_error(max_attempts=3, delay=5), RetryPolicy(include_errors=()))

FIELDS = (
    "domain",
    "queue",
    "name",
    "status",
    "priority",
    "attempt",
    "uncounted",
    "lost",
    "created_ms",
    "shepherd_id",
    "args",
    "kwargs",
    "timeout_ms",
    "idempotency_key",
    "cancel_requested",
)


class EngineMachine(RuleBasedStateMachine):
    """What clients, shepherds, time and disks may do."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bugs: list[dict[str, Any]] = []
        """What a callback of the loop raised, which nobody else would hear of."""
        self.loop.set_exception_handler(lambda _, context: self.bugs.append(context))
        self.clock = ManualClock()
        self._driven = self.clock.drives(self.loop)
        self._driven.__enter__()
        self.store = HeldStore()
        self.store.open()
        self.acknowledged: dict[str, str] = {}
        """Task ids that a client was told, with their idempotency keys."""
        self.told_ends: dict[str, TaskStatus] = {}
        self.given: list[tuple[str, int, str]] = []
        """Every attempt that was ever sent out, over all starts."""
        self.world = self.run(EngineWorld(self.store, self.clock).start())

    def run(self, awaitable: Any) -> Any:
        """To its end, which needs no time to pass; what waits for ever fails instead."""

        async def bounded() -> Any:
            task = asyncio.ensure_future(awaitable)
            for _ in range(500):
                if task.done():
                    return task.result()
                await asyncio.sleep(0)
            raise AssertionError("somebody waits for an answer that never comes")

        return self.loop.run_until_complete(bounded())

    def teardown(self) -> None:
        timer = self.world.engine._alarms._timer
        if timer is not None:
            timer.cancel()
        self._driven.__exit__(None, None, None)
        self.store.close()
        self.loop.close()

    async def _settled(self) -> None:
        await settle(12)
        self.given.extend(self.world.dispatch.sent)
        self.world.dispatch.sent.clear()
        for ended in self.world.audience.ended_tasks:
            assert ended.task_id not in self.told_ends, "a task has ended twice"
            self.told_ends[ended.task_id] = ended.status
        self.world.audience.ended_tasks.clear()

    def settle(self) -> None:
        self.run(self._settled())

    def unended(self) -> list[Task]:
        return list(self.world.engine.taskset.tasks.values())

    def pick(self, data: st.DataObject, tasks: list[Task]) -> Task:
        return data.draw(st.sampled_from(sorted(tasks, key=lambda task: task.task_id)))

    def live(self) -> list[Task]:
        return [task for task in self.unended() if task.shepherd_id]

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────

    @initialize(places=st.integers(0, 3))
    def somebody_is_there(self, places: int) -> None:
        self.world.dispatch.places[SHEPHERD] = places

    @rule(
        policy=st.sampled_from(POLICIES),
        priority=st.integers(-1, 1),
        wait_s=st.sampled_from((0, 0, 0, 7)),
        key=st.sampled_from((None, None, "a", "b")),
        domain=st.sampled_from(("default", "other")),
        held=st.booleans(),
    )
    def create(
        self, policy: RetryPolicy | None, priority: int, wait_s: int, key: str | None, domain: str, held: bool
    ) -> None:
        engine = self.world.engine
        if key is not None and (domain, key) in engine.taskset.by_key:
            return  # what the service does: the same task
        new = make_new(
            retry_policy=policy,
            priority=priority,
            not_before_ms=self.clock.now_ms() + wait_s * 1000 if wait_s else 0,
            idempotency_key=key,
            domain=domain,
            args=f"[{len(self.acknowledged)}]",
        )

        async def creating() -> str:
            if held:
                self.store.hold()
            task = engine.create(new)
            answered = engine.durable()
            await settle(5)
            if held:
                assert not answered.done()
                self.store.release()
            await answered
            return task.task_id

        self.acknowledged[self.run(creating())] = key or ""
        self.settle()

    @rule(shepherd=st.sampled_from(SHEPHERDS), places=st.integers(1, 3))
    def a_shepherd_has_places(self, shepherd: str, places: int) -> None:
        self.world.dispatch.places[shepherd] = places
        self.world.engine.places_freed()
        self.settle()

    @precondition(lambda self: bool(self.live()))
    @rule(data=st.data())
    def an_attempt_starts(self, data: st.DataObject) -> None:
        task = self.pick(data, self.live())
        under_way = AttemptUnderWay(task_id=task.task_id, attempt=task.attempt, started_ms=self.clock.now_ms())
        self.world.engine.attempt_started(task.shepherd_id, under_way)
        self.settle()

    @precondition(lambda self: bool(self.live()))
    @rule(
        data=st.data(),
        outcome=st.sampled_from(list(AttemptOutcome)),
        error=st.sampled_from(("ValueError", "KeyError")),
        asked=st.sampled_from((None, None, 0, 3000)),
        retriable=st.booleans(),
        twice=st.booleans(),
    )
    def an_attempt_ends(
        self,
        data: st.DataObject,
        outcome: AttemptOutcome,
        error: str,
        asked: int | None,
        retriable: bool,
        twice: bool,
    ) -> None:
        task = self.pick(data, self.live())
        shepherd, told = (
            task.shepherd_id,
            make_result(task, outcome=outcome, error_type=error, retry_after_ms=asked, retriable=retriable),
        )
        assert self.world.engine.attempt_ended(shepherd, told)
        if twice:
            assert not self.world.engine.attempt_ended(shepherd, told)
        self.settle()

    @precondition(lambda self: bool(self.unended()))
    @rule(data=st.data(), back=st.integers(1, 3), shepherd=st.sampled_from(SHEPHERDS))
    def a_stale_result_comes(self, data: st.DataObject, back: int, shepherd: str) -> None:
        task = self.pick(data, self.unended())
        before = (task.status, task.attempt, task.shepherd_id)
        assert not self.world.engine.attempt_ended(shepherd, make_result(task, task.attempt - back))
        assert (task.status, task.attempt, task.shepherd_id) == before
        self.settle()

    @precondition(lambda self: bool(self.unended()))
    @rule(data=st.data(), reaches=st.booleans())
    def cancel(self, data: st.DataObject, reaches: bool) -> None:
        task = self.pick(data, self.unended())
        self.world.dispatch.reaches = reaches
        self.world.engine.cancel(task, "enough")
        self.settle()
        if not reaches or not task.shepherd_id:
            assert self.told_ends[task.task_id] is TaskStatus.CANCELLED

    @rule(shepherd=st.sampled_from(SHEPHERDS))
    def a_shepherd_is_lost(self, shepherd: str) -> None:
        held = [task for task in self.live() if task.shepherd_id == shepherd]
        self.world.dispatch.places[shepherd] = 0
        self.world.engine.watch_lease(shepherd)
        self.world.dispatch.leases[shepherd] = 0
        self.clock.advance(10)
        self.settle()
        assert all(task.shepherd_id != shepherd for task in held)
        del self.world.dispatch.leases[shepherd]

    @precondition(lambda self: bool(self.live()))
    @rule(data=st.data())
    def a_shepherd_comes_back_without_an_attempt(self, data: st.DataObject) -> None:
        self.world.engine.lose(self.pick(data, self.live()), "its shepherd came back without it")
        self.settle()

    @rule(seconds=st.sampled_from((0.5, 3, 6, 20, 400)))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.settle()

    @rule(late=st.booleans())
    def the_disk_refuses_a_creation(self, late: bool) -> None:
        engine = self.world.engine

        async def creating() -> None:
            if late:
                self.store.hold()
            engine.create(make_new(idempotency_key="never kept"))
            answered = engine.durable()
            if late:
                await settle(5)
                engine.create(make_new())  # decided while the first one is on its way
                more = engine.durable()
                self.store.refuse()
            else:
                self.store.refuse()
                more = answered
            for future in (answered, more):
                try:
                    await future
                except StoreFull:
                    continue
                raise AssertionError("a refused write was acknowledged")

        self.run(creating())
        self.settle()
        assert ("default", "never kept") not in self.world.engine.taskset.by_key

    @precondition(lambda self: bool(self.live()))
    @rule(data=st.data())
    def the_disk_refuses_a_result(self, data: st.DataObject) -> None:
        task = self.pick(data, self.live())
        shepherd, told = task.shepherd_id, make_result(task)
        self.store.refuse()
        assert self.world.engine.attempt_ended(shepherd, told)
        self.settle()
        assert self.world.engine.is_unended(task.task_id)
        assert self.world.engine.attempt_ended(shepherd, told)
        self.settle()

    @rule(undecided=st.booleans())
    def crash(self, undecided: bool) -> None:
        """The process is gone, with what had not reached the disk; a new one starts."""
        places = self.world.dispatch.places.copy()
        old = self.world.engine
        if undecided:
            self.store.hold()
            old.create(make_new())
            self.settle()
        if old._alarms._timer is not None:
            old._alarms._timer.cancel()
        self.store = HeldStore(self.store.tables)  # what is held in the old one is never kept
        self.store.open()
        self.world = EngineWorld(self.store, self.clock)
        self.world.dispatch.places = places
        self.run(self.world.start())
        self.settle()

    # ── what holds ───────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def nothing_went_wrong_unheard(self) -> None:
        assert self.bugs == []
        assert self.world.engine._ending == {}, "an end that is on no way to the disk"

    @invariant()
    def no_acknowledged_task_has_disappeared(self) -> None:
        taskset = self.world.engine.taskset
        for task_id, key in self.acknowledged.items():
            record = self.store.tables.tasks[task_id]
            assert record.status.ended is (task_id not in taskset.tasks)
            if key:
                assert taskset.by_key[record.domain, key] == task_id
        for task_id, status in self.told_ends.items():
            assert self.store.tables.tasks[task_id].status is status

    @invariant()
    def one_live_attempt_at_a_time(self) -> None:
        taskset = self.world.engine.taskset
        held = Counter(task_id for tasks in taskset.by_shepherd.values() for task_id in tasks)
        assert all(count == 1 for count in held.values())
        for task in taskset.tasks.values():
            live = task.status in {TaskStatus.ASSIGNED, TaskStatus.RUNNING}
            assert live is bool(task.shepherd_id) is (task.task_id in held)
            if live:
                assert task.task_id in taskset.by_shepherd[task.shepherd_id]
            assert task.lost <= task.uncounted <= task.attempt
            assert task.lost <= MAX_LOST
        assert all(taskset.by_shepherd.values())
        sent = Counter((task_id, attempt) for task_id, attempt, _ in self.given)
        assert all(count == 1 for count in sent.values()), "an attempt was given out twice"

    @invariant()
    def counts_equal_a_recount(self) -> None:
        taskset = self.world.engine.taskset
        recount = Counter((task.domain, task.status) for task in taskset.tasks.values())
        assert {place: count for place, count in taskset.counts.items() if count} == recount

    @invariant()
    def pending_tasks_wait_in_line(self) -> None:
        engine = self.world.engine
        for task in engine.taskset.tasks.values():
            if task.status is TaskStatus.PENDING:
                line = engine.ready.line(task.domain, task.queue)
                assert line is not None
                assert line.position(task) is not None, "a pending task that nobody will ever give out"

    @invariant()
    def the_disk_tells_the_same(self) -> None:
        tasks = self.world.engine.taskset.tasks
        on_disk = {record.task_id: record for record in self.store.tables.tasks.values() if not record.status.ended}
        assert on_disk.keys() == tasks.keys()
        for task_id, task in tasks.items():
            record = on_disk[task_id]
            for name in FIELDS:
                assert getattr(record, name) == getattr(task, name), name
            assert record.due_ms == task.due_ms

    @invariant()
    def every_history_is_a_way_through_the_table(self) -> None:
        status: dict[str, TaskStatus] = {}
        attempts: dict[str, int] = {}
        for event in self.store.tables.events:
            task_id = event.task_id
            match event.type:
                case EventType.TASK_CREATED:
                    later = event.metadata.get("not_before_ms")
                    status[task_id] = TaskStatus.SCHEDULED if later else TaskStatus.PENDING
                    continue
                case EventType.ATTEMPT_ASSIGNED:
                    target = TaskStatus.ASSIGNED
                    assert event.attempt == attempts.get(task_id, 0) + 1, "attempts are numbered without gaps"
                    attempts[task_id] = event.attempt
                case EventType.ATTEMPT_STARTED:
                    target = TaskStatus.RUNNING
                case EventType.TASK_RETRYING:
                    target = TaskStatus.RETRYING if event.metadata.get("due_ms") else TaskStatus.PENDING
                case EventType.TASK_ENDED:
                    target = TaskStatus.from_word(str(event.metadata["status"]))
                case _:
                    continue
            now = status[task_id]
            if now in {TaskStatus.SCHEDULED, TaskStatus.RETRYING} and target is TaskStatus.ASSIGNED:
                now = TaskStatus.PENDING  # its time had come, which is no event
            assert target in TRANSITIONS[now], f"{now.word} to {target.word}"
            status[task_id] = target
        for task_id, record in self.store.tables.tasks.items():
            if record.status.ended:
                assert status[task_id] is record.status


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
