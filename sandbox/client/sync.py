"""The client for programs without asyncio. Safe to use from several threads at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self

from sandbox.client import requests
from sandbox.client.address import find_grpc, find_url
from sandbox.client.handles import TaskHandle
from sandbox.client.records import EventInfo, LogEntry, SqlTable, TaskInfo, TaskPage, Why
from sandbox.client.submission import Submission, seconds
from sandbox.client.submitting import DEFAULT_BATCH, in_batches, submission_of
from sandbox.client.transports.contract import TaskTransport
from sandbox.client.transports.http import HttpTransport
from sandbox.client.waiting import Deadline, LogPosition, Patience
from sandbox.errors import OrchestratorUnreachable, SandboxError
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.status import TaskStatus
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE, EndedTask


class Client:
    """A client of one environment. All methods raise kinds of `sandbox.errors.SandboxError`.

    `url`: the HTTP API; without it `env` (or AZOLLA_LOCAL_URL, AZOLLA_LOCAL_ENV, or "default") tells where it is.
    `transport`: "grpc" creates tasks and waits for them over gRPC, which is faster; all else goes over HTTP.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        env: str | None = None,
        transport: Literal["http", "grpc"] = "http",
        grpc_target: str | None = None,
        http: HttpTransport | None = None,
    ) -> None:
        self._http = http if http is not None else HttpTransport(find_url(url, env))
        self._tasks: TaskTransport = self._http
        if transport == "grpc":
            from sandbox.client.transports.grpc import GrpcTransport

            self._tasks = GrpcTransport(grpc_target or find_grpc(env))

    @property
    def url(self) -> str:
        """The address of the HTTP API."""
        return self._http.url

    # ── create ───────────────────────────────────────────────────────────────────────────────────────

    def submit(
        self,
        task: str | Submission,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        domain: str = DEFAULT_DOMAIN,
        queue: str = DEFAULT_QUEUE,
        priority: int = 0,
        timeout: float | timedelta | None = None,
        not_before: datetime | None = None,
        delay: float | timedelta | None = None,
        retry_policy: RetryPolicy | Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> TaskHandle:
        """Create a task. When this returns, the task is on disk. See `Submission` for the parameters."""
        submission = submission_of(
            task,
            args,
            kwargs,
            domain=domain,
            queue=queue,
            priority=priority,
            timeout=timeout,
            not_before=not_before,
            delay=delay,
            retry_policy=retry_policy,
            labels=labels or {},
            key=key,
        )
        return TaskHandle(self, self._tasks.create(submission))

    def submit_many(self, tasks: Iterable[Submission], *, batch: int = DEFAULT_BATCH) -> Sequence[TaskHandle]:
        """Create many tasks, in batches of which each is created whole or not at all.

        An error in a later batch carries a note that says how many tasks were created before.
        """
        handles: list[TaskHandle] = []
        try:
            for task_ids in self.submit_batches(tasks, batch=batch):
                handles += [TaskHandle(self, task_id) for task_id in task_ids]
        except SandboxError as error:
            error.add_note(f"{len(handles)} tasks were created before")
            raise
        return handles

    def submit_batches(self, tasks: Iterable[Submission], *, batch: int = DEFAULT_BATCH) -> Iterator[Sequence[str]]:
        """The same, batch by batch: gives the ids of each as soon as it is created. Reads `tasks` as it goes."""
        for some in in_batches(tasks, batch):
            yield self._tasks.create_many(some)

    def task(self, task_id: str) -> TaskHandle:
        """A handle of a task that was created before."""
        return TaskHandle(self, task_id)

    # ── wait ─────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, task_id: str, timeout: float | timedelta | None = None) -> EndedTask:
        """The ended task. TimeoutError if it has not ended in time; a restart of the orchestrator is waited out."""
        deadline = Deadline(None if timeout is None else seconds(timeout), time.monotonic)
        patience = Patience(time.monotonic)
        while True:
            try:
                ended = self._tasks.wait(task_id, deadline.next_poll())
            except OrchestratorUnreachable as error:
                time.sleep(patience.pause(error))
                continue
            patience.answered()
            if ended is not None:
                return ended
            if deadline.over:
                raise TimeoutError(f"task {task_id} has not ended in time")

    def as_completed(
        self, tasks: Iterable[TaskHandle | str], timeout: float | timedelta | None = None
    ) -> Iterator[EndedTask]:
        """Each task once, when it has ended. TimeoutError if some have not in time."""
        waiting = dict.fromkeys(task if isinstance(task, str) else task.task_id for task in tasks)
        deadline = Deadline(None if timeout is None else seconds(timeout), time.monotonic)
        patience = Patience(time.monotonic)
        while waiting:
            try:
                for ended in self._tasks.watch(list(waiting), deadline.left()):
                    patience.answered()
                    if ended.task_id in waiting:
                        del waiting[ended.task_id]
                        yield ended
            except OrchestratorUnreachable as error:
                time.sleep(patience.pause(error))
                continue
            if waiting and deadline.over:
                raise TimeoutError(f"{len(waiting)} tasks have not ended in time")

    def wait_all(
        self, tasks: Iterable[TaskHandle | str], timeout: float | timedelta | None = None
    ) -> dict[str, EndedTask]:
        """All tasks, by id, when the last has ended. TimeoutError if some have not in time."""
        return {ended.task_id: ended for ended in self.as_completed(tasks, timeout)}

    # ── look and change ──────────────────────────────────────────────────────────────────────────────

    def cancel(self, task_id: str, reason: str = "") -> TaskStatus:
        """Where the task stands then: cancelled, or running until its shepherd has ended it. An ended one stays."""
        return TaskStatus.from_word(self._http.call(requests.cancel(task_id, reason))[1])

    def get(self, task_id: str) -> TaskInfo:
        """All there is to say of a task; a unique prefix of its id is enough, as in all methods but the waits."""
        return self._http.call(requests.get(task_id))

    def list(
        self,
        *,
        domain: str | None = None,
        queue: str | None = None,
        statuses: Sequence[str] = (),
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> TaskPage:
        """A page of tasks, newest first. `name` is a glob, `since` and `until` are times or ages such as `5m`."""
        return self._http.call(
            requests.list_tasks(
                domain=domain,
                queue=queue,
                statuses=statuses,
                name=name,
                labels=labels,
                since=since,
                until=until,
                limit=limit,
                cursor=cursor,
            )
        )

    def why(self, task_id: str) -> Why:
        """Why a task stands where it stands."""
        return self._http.call(requests.why(task_id))

    def history(self, task_id: str) -> Sequence[EventInfo]:
        """The history of a task, oldest first."""
        return self._http.call(requests.history(task_id))

    def events(
        self,
        *,
        after: int | None = None,
        last: int | None = None,
        domain: str | None = None,
        limit: int | None = None,
        follow: bool = False,
    ) -> Iterator[EventInfo]:
        """Events of everything behind number `after` (-1: only new ones), or the `last` ones; `follow`: for ever."""
        return self._http.stream(requests.events(after=after, last=last, domain=domain, limit=limit, follow=follow))

    def logs(
        self,
        task_id: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        stream: Literal["stdout", "stderr"] | None = None,
        grep: str | None = None,
        attempt: int | None = None,
        source: str | None = None,
    ) -> Iterator[LogEntry]:
        """What a task has written, from the first byte. With `follow` until it has ended; a lost connection is
        made again, and reading goes on where it was. LogNotFound: it has written nothing.
        """
        position, patience = LogPosition(), Patience(time.monotonic)
        while True:
            call = requests.logs(
                task_id,
                follow=follow,
                tail=tail,
                since=since,
                until=until,
                stream=stream,
                grep=grep,
                attempt=attempt,
                source=source,
            )
            try:
                for entry in self._http.stream(call):
                    patience.answered()
                    new = position.new_part(entry)
                    if new is not None:
                        yield new
            except OrchestratorUnreachable as error:
                if not follow:
                    raise
                time.sleep(patience.pause(error))
                tail = None
            else:
                return

    def sql(self, statement: str, *, limit: int = 1000) -> SqlTable:
        """The answer of the database to a statement that reads."""
        return self._http.call(requests.sql(statement, limit))

    def status(self) -> dict[str, Any]:
        """What the orchestrator does."""
        return self._http.call(requests.status())

    def shepherds(self) -> Sequence[dict[str, Any]]:
        """Every shepherd that is known."""
        return self._http.call(requests.shepherds())

    def domains(self) -> Sequence[dict[str, Any]]:
        """Every domain, with its tasks by status."""
        return self._http.call(requests.domains())

    def definitions(self) -> dict[str, Any]:
        """What can be run: `{"definitions": […], "problems": […]}`."""
        return self._http.call(requests.definitions())

    def close(self) -> None:
        """Close all connections."""
        self._tasks.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
