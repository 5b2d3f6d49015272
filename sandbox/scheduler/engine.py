"""The heart of the scheduler: what clients want and shepherds tell is decided, applied, and put into a group.

Everything that happens within one turn of the event loop goes into one group, together with the
assignments that it makes possible, so creating a task and giving it to a free shepherd costs one commit
(see `commits`). Nothing is answered or sent before its group is on disk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import structlog

from sandbox.model.clock import Clock
from sandbox.model.event import Event, OrchestratorStarted, ShepherdLost
from sandbox.model.ids import TaskIds
from sandbox.model.retry_policy import DEFAULT
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask, NewTask, Task
from sandbox.scheduler import decide
from sandbox.scheduler.alarms import Alarms
from sandbox.scheduler.commands import AttemptResult, AttemptUnderWay, Progress
from sandbox.scheduler.commits import Commits
from sandbox.scheduler.effects import Audience, Dispatch
from sandbox.scheduler.group import Group
from sandbox.scheduler.recovery import recover
from sandbox.scheduler.retention import EndedTasks
from sandbox.scheduler.timers import DEADLINE_GRACE_S, DeadlineDue, Due, LeaseDue, RetryDue
from sandbox.store.contract import EventStore

_log = structlog.stdlib.get_logger("sandbox.scheduler")


class Engine:
    """Owns the state. All methods belong to the event loop that `start` ran in, and none of them blocks."""

    def __init__(
        self,
        store: EventStore,
        dispatch: Dispatch,
        audience: Audience,
        clock: Clock,
        *,
        result_keep_ms: int = 3_600_000,
    ) -> None:
        self._store = store
        self._dispatch = dispatch
        self._audience = audience
        self._clock = clock
        self._ids = TaskIds(clock)
        self._domains: dict[str, int] = {}
        self._random = random.Random()
        self.ended = EndedTasks(keep_ms=result_keep_ms)
        self._ending: dict[str, EndedTask] = {}
        self._closing = False
        self._alarms = Alarms(clock, self._on_due)
        self._commits = Commits(store, complete=self._assign, tell=self._tell, start_over=self._start_over)

    # ── start and stop ───────────────────────────────────────────────────────────────────────────────

    def start(self, version: str) -> None:
        """Read the state from the store, which is open. Blocking; before the first client."""
        loop = asyncio.get_running_loop()
        self._alarms.start(loop)
        self._commits.start(loop)
        self._load()
        started = OrchestratorStarted(time_ms=self._clock.now_ms(), version=version, unfinished=len(self.taskset.tasks))
        self._alarms.arm()
        self.append(started)

    def _load(self) -> None:
        self._alarms.timers.clear()
        self._domains = dict(self._store.domain_numbers())
        self.taskset, self.ready = recover(
            self._store, self._alarms.timers, now_ms=self._clock.now_ms(), now=self._clock.monotonic()
        )
        self._alarms.watches(self.taskset.by_shepherd)
        self._dispatch.serve(self.taskset)

    def _start_over(self) -> None:
        self._ending.clear()
        self._load()
        self._dispatch.reset()
        self._alarms.arm()

    async def stop(self) -> None:
        """Commit what was decided; after this nothing is taken any more."""
        self._closing = True
        self._alarms.stop()
        await self._commits.drain()

    # ── what clients want ────────────────────────────────────────────────────────────────────────────

    def create(self, new: NewTask) -> Task:
        """Decide the creation of a task, which is already checked. Answer the client after `durable()`."""
        now_ms = self._clock.now_ms()
        task, created = decide.create(new, self._ids.make(self.domain_number(new.domain)), now_ms)
        self.taskset.add(task)
        group = self._commits.group
        group.created[task.task_id] = task
        group.events.append(created)
        if task.status is TaskStatus.PENDING:
            self.ready.push(task)
        else:
            self._alarms.add(max(0, task.due_ms - now_ms) / 1000, RetryDue(task.task_id, 0))
        self._commits.soon()
        return task

    def domain_number(self, domain: str) -> int:
        """Its number; a new one, durably, for a domain that is used for the first time. StoreError if that fails."""
        number = self._domains.get(domain)
        if number is None:
            number = self._domains[domain] = self._store.add_domain(domain)
        return number

    def domains(self) -> list[str]:
        """Every domain that was ever used."""
        return list(self._domains)

    def cancel(self, task: Task, reason: str) -> None:
        """Cancel a task that has not ended. A running attempt is asked to end; `wait` for the outcome."""
        decided = decide.cancel(task, reason, self._clock.now_ms())
        live = task.status in {TaskStatus.ASSIGNED, TaskStatus.RUNNING}
        self._carry_out(task, decided)
        if live:
            self._commits.group.then.append(lambda: self._end_if_out_of_reach(task, reason))

    def append(self, event: Event) -> None:
        """Append a fact that changes no task."""
        self._commits.group.events.append(event)
        self._commits.soon()

    def after_commit(self, then: Callable[[], None]) -> None:
        """Call `then` once everything decided so far is on disk; not at all if the store refuses it."""
        self._commits.after(then)

    def durable(self) -> asyncio.Future[None]:
        """Done when everything decided so far is on disk; StoreError if the store refused it."""
        return self._commits.durable()

    def ended_task(self, task_id: str) -> EndedTask | None:
        """A task whose end is on disk, if memory still has it."""
        return self.ended.get(task_id)

    def is_unended(self, task_id: str) -> bool:
        """Whether the audience will yet hear that it ended."""
        return task_id in self.taskset.tasks or task_id in self._ending

    # ── what shepherds tell ──────────────────────────────────────────────────────────────────────────

    def attempt_started(self, shepherd_id: str, under_way: AttemptUnderWay) -> None:
        """An attempt runs."""
        task = self.taskset.get(under_way.task_id)
        event = decide.start(task, shepherd_id, under_way, self._clock.now_ms())
        if event is not None and task is not None:
            self.taskset.apply(event)
            self._commits.group.events.append(event)
            self._commits.group.touch(task)
            self._commits.soon()

    def attempt_ended(self, shepherd_id: str, result: AttemptResult) -> bool:
        """An attempt ended; False if the result doesn't count, which is recorded unless it merely came twice."""
        task = self.taskset.get(result.task_id)
        reason = decide.refusal(task, shepherd_id, result.attempt)
        if reason is None and task is not None:
            self._end_attempt(task, result)
            return True
        before = self._ending.get(result.task_id) or self.ended.get(result.task_id)
        if before is None or before.attempt != result.attempt:
            domain = task.domain if task is not None else before.domain if before is not None else ""
            self.append(decide.refuse(result, shepherd_id, domain, reason or "", self._clock.now_ms()))
        return False

    def progress(self, shepherd_id: str, progress: Progress) -> None:
        """A running task said how far it is. Kept in memory only."""
        task = self.taskset.get(progress.task_id)
        if task is not None and task.shepherd_id == shepherd_id and task.attempt == progress.attempt:
            self.taskset.progress[task.task_id] = progress

    def lose(self, task: Task, why: str) -> None:
        """The live attempt of a task is lost: its shepherd is gone, or doesn't know it."""
        self._end_attempt(task, decide.lost(task, why))

    def watch_lease(self, shepherd_id: str) -> None:
        """Look at the lease of that shepherd whenever it would run out, until it has."""
        self._alarms.watch_lease(shepherd_id, self._dispatch.lease_left(shepherd_id))

    def places_freed(self) -> None:
        """A shepherd can take more than before: see whether something waits for it."""
        if self.ready:
            self._commits.soon()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────

    def _end_attempt(self, task: Task, result: AttemptResult) -> None:
        policy = task.retry_policy or self._dispatch.offered_policy(task.name) or DEFAULT
        self._carry_out(task, decide.end_attempt(task, result, policy, self._clock.now_ms(), self._random.random()))

    def _carry_out(self, task: Task, decided: decide.Ended) -> None:
        group = self._commits.group
        for event in decided.events:
            self.taskset.apply(event)
        group.events.extend(decided.events)
        if decided.task is not None:
            group.ended.append(decided.task)
            self._ending[task.task_id] = decided.task
        elif task.status is TaskStatus.PENDING:
            self.ready.push(task)
            group.touch(task)
        else:
            if task.status is TaskStatus.RETRYING:
                delay_ms = max(0, decided.due_ms - self._clock.now_ms())
                self._alarms.add(delay_ms / 1000, RetryDue(task.task_id, task.attempt))
            group.touch(task)
        self._commits.soon()

    def _end_if_out_of_reach(self, task: Task, reason: str) -> None:
        if self._dispatch.cancel(task, reason) or self.taskset.get(task.task_id) is not task:
            return
        if task.shepherd_id:  # its shepherd can't be asked: the attempt counts as over, a late result doesn't
            self._end_attempt(task, decide.cancelled_out_of_reach(task, reason))

    # ── what is due ──────────────────────────────────────────────────────────────────────────────────

    def _on_due(self, due: Due) -> None:
        match due:
            case RetryDue(task_id, attempt):
                self._start_waiting(task_id, attempt)
            case DeadlineDue(task_id, attempt):
                self._overdue(task_id, attempt)
            case LeaseDue(shepherd_id):
                self._look_at_lease(shepherd_id)

    def _start_waiting(self, task_id: str, attempt: int) -> None:
        task = self.taskset.get(task_id)
        if task is None or task.attempt != attempt:
            return
        if task.status in {TaskStatus.SCHEDULED, TaskStatus.RETRYING}:
            self.taskset.become_pending(task)
            self._commits.group.touch(task)
            self.ready.push(task)
            self._commits.soon()

    def _overdue(self, task_id: str, attempt: int) -> None:
        task = self.taskset.get(task_id)
        if task is None or task.attempt != attempt or not task.shepherd_id:
            return
        if self._dispatch.keeps_deadlines(task.shepherd_id):
            return  # only known now: at a restart every attempt with a time gets a timer
        self._end_attempt(task, decide.out_of_time(task))

    def _look_at_lease(self, shepherd_id: str) -> None:
        if self._dispatch.lease_left(shepherd_id) > 0:
            self.watch_lease(shepherd_id)
            return
        self._dispatch.lost(shepherd_id)
        held = self.taskset.running_on(shepherd_id)
        if not held:
            return
        _log.warning("shepherd lost", shepherd=shepherd_id, attempts=len(held))
        self.append(ShepherdLost(time_ms=self._clock.now_ms(), shepherd_id=shepherd_id, attempts=len(held)))
        for task in held:
            self.lose(task, "its shepherd was not heard of for longer than its lease")

    # ── groups ───────────────────────────────────────────────────────────────────────────────────────

    def _assign(self) -> None:
        if self._closing or not self.ready:
            return
        now_ms = self._clock.now_ms()
        taskset, group = self.taskset, self._commits.group
        for assignment in self._dispatch.choose(self.ready):
            task = taskset.tasks[assignment.task_id]
            event = decide.assign(task, assignment.shepherd_id, now_ms)
            taskset.apply(event)
            group.events.append(event)
            group.touch(task)
            group.assigned.append((task, event.attempt))
            if task.timeout_ms and not self._dispatch.keeps_deadlines(assignment.shepherd_id):
                self._alarms.add(task.timeout_ms / 1000 + DEADLINE_GRACE_S, DeadlineDue(task.task_id, task.attempt))

    def _tell(self, group: Group) -> None:
        try:
            if group.assigned:
                self._dispatch.send(group.assigned)
            for task in group.ended:
                self.ended.add(task)
                self._ending.pop(task.task_id, None)
            if group.ended:
                self._audience.ended(group.ended)
            for then in group.then:
                then()
            if group.events:
                self._audience.news(group.events)
        finally:  # a bug on the other side must not leave waiting what has a place
            self.places_freed()
