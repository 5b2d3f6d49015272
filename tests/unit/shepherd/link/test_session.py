"""One connection, spoken over a scripted call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from shepherd.link.assignments import Assignments
from shepherd.link.news import News
from shepherd.link.outbox import Outbox
from shepherd.link.session import Room, Session
from shepherd.wire.messages import (
    AttemptKey,
    CancelAttempt,
    ClientMsg,
    Drain,
    Hello,
    Ping,
    ResultsAcked,
    ServerMsg,
    Task,
    TaskBatch,
    Welcome,
)
from shepherd.wire.payload import Assignment, End, Outcome

WELCOME = ServerMsg(welcome=Welcome(epoch=1, heartbeat_ms=60_000))


class Work:
    """A supervisor that remembers."""

    def __init__(self) -> None:
        self.accepted: list[Assignment] = []
        self.log: list[Any] = []

    @property
    def held(self) -> int:
        return len(self.accepted)

    def standing(self) -> list[tuple[str, int]]:
        return []

    def accept(self, assignments: Iterable[Assignment]) -> None:
        self.accepted += assignments

    def cancel(self, task_id: str, attempt: int, reason: str) -> None:
        self.log.append(("cancel", task_id, attempt, reason))

    def refuse(self, keys: Iterable[tuple[str, int]]) -> None:
        self.log.append(("refuse", sorted(keys)))

    def acknowledged(self, task_id: str, attempt: int) -> None:
        self.log.append(("acknowledged", task_id, attempt))

    def pause(self) -> None:
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")


class ScriptedCall:
    """What it is told to say is read; what is written can be waited for."""

    def __init__(self) -> None:
        self.to_read: asyncio.Queue[Any] = asyncio.Queue()
        self.written: asyncio.Queue[ClientMsg] = asyncio.Queue()
        self.may_write = asyncio.Event()
        self.may_write.set()

    async def read(self) -> Any:
        return await self.to_read.get()

    async def write(self, request: ClientMsg) -> None:
        await self.may_write.wait()
        self.written.put_nowait(request)

    async def done_writing(self) -> None:
        return


class Talk:
    def __init__(self) -> None:
        self.call = ScriptedCall()
        self.work = Work()
        self.outbox = Outbox(lambda: self.session.wake())  # noqa: PLW0108 - the session is made later
        self.news = News(lambda: self.session.wake())  # noqa: PLW0108 - as above
        self.welcomes: list[Welcome | None] = []
        self.room = Room(window=10, max_concurrency=4)
        self.session = Session(
            self.call,
            outbox=self.outbox,
            news=self.news,
            work=self.work,
            assignments=Assignments(self.work),
            room=self.room,
            welcomed=self.welcomes.append,
        )
        self.running = asyncio.ensure_future(self.session.run(Hello(shepherd_uuid="me")))

    def says(self, *messages: Any) -> None:
        for message in messages:
            self.call.to_read.put_nowait(message)

    async def heard(self, kind: str) -> ClientMsg:
        """The next message of that kind; others before it are passed over."""
        while True:
            message = await asyncio.wait_for(self.call.written.get(), 5)
            if message.WhichOneof("kind") == kind:
                return message

    async def ended(self) -> None:
        self.says(None)
        await asyncio.wait_for(self.running, 5)


@pytest.fixture
async def talk() -> Any:
    talk = Talk()
    yield talk
    talk.running.cancel()
    await asyncio.gather(talk.running, return_exceptions=True)


async def test_the_hello_comes_first_then_a_status(talk: Talk) -> None:
    first = await talk.call.written.get()
    second = await talk.call.written.get()
    assert (first.WhichOneof("kind"), second.WhichOneof("kind")) == ("hello", "status")
    assert (second.status.current_load, second.status.available_capacity) == (0, 10)


async def test_results_wait_for_the_welcome(talk: Talk) -> None:
    talk.outbox.put("a", 1, End(outcome=Outcome.SUCCEEDED))
    await talk.heard("status")
    assert talk.call.written.empty()
    talk.says(WELCOME)
    message = await talk.heard("results")
    assert (message.results.sequence, message.results.results[0].task_id) == (1, "a")
    assert talk.welcomes[0] is not None


async def test_results_that_come_while_one_is_sent_go_together(talk: Talk) -> None:
    talk.says(WELCOME)
    await talk.heard("status")
    talk.call.may_write.clear()
    for name in "abc":
        talk.outbox.put(name, 1, End(outcome=Outcome.SUCCEEDED))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    talk.call.may_write.set()
    batches = [await talk.heard("results"), await talk.heard("results")]
    assert [len(each.results.results) for each in batches] == [1, 2]


async def test_acknowledged_results_are_told_to_the_supervisor(talk: Talk) -> None:
    talk.says(WELCOME)
    talk.outbox.put("a", 3, End(outcome=Outcome.SUCCEEDED))
    await talk.heard("results")
    talk.says(ServerMsg(acked=ResultsAcked(sequence=1)))
    await talk.ended()
    assert ("acknowledged", "a", 3) in talk.work.log


async def test_batches_cancels_and_drains_reach_the_supervisor(talk: Talk) -> None:
    talk.says(
        WELCOME,
        ServerMsg(
            tasks=TaskBatch(tasks=[Task(task_id="a", attempt=1, name="n"), Task(task_id="b", attempt=2, name="n")])
        ),
        ServerMsg(ping=Ping(timestamp=1)),
        ServerMsg(cancel=CancelAttempt(task_id="a", attempt=1, reason="why")),
        ServerMsg(drain=Drain()),
    )
    await talk.ended()
    assert [(each.task_id, each.attempt) for each in talk.work.accepted] == [("a", 1), ("b", 2)]
    assert talk.work.log == ["resume", ("cancel", "a", 1, "why"), "pause"]


async def test_what_the_welcome_refuses_is_dropped_and_not_sent(talk: Talk) -> None:
    talk.outbox.put("a", 1, End(outcome=Outcome.SUCCEEDED))
    talk.outbox.put("b", 1, End(outcome=Outcome.SUCCEEDED))
    talk.says(ServerMsg(welcome=Welcome(epoch=1, refused=[AttemptKey(task_id="a", attempt=1)])))
    message = await talk.heard("results")
    assert [each.task_id for each in message.results.results] == ["b"]
    assert ("refuse", [("a", 1)]) in talk.work.log


async def test_a_task_without_a_welcome_means_plain_azolla(talk: Talk) -> None:
    talk.news.log_opened("a", 1, "local", "x")
    talk.says(ServerMsg(task=Task(task_id="a", name="n")), ServerMsg(task=Task(task_id="a", name="n")))
    talk.outbox.put("a", 1, End(outcome=Outcome.SUCCEEDED))
    talk.outbox.put("b", 1, End(outcome=Outcome.SUCCEEDED))
    first = await talk.heard("task_result")
    second = await talk.call.written.get()
    assert (first.task_result.task_id, second.task_result.task_id) == ("a", "b")
    status = await talk.heard("status")
    assert status.status.available_capacity == 4 - 2
    assert [each.attempt for each in talk.work.accepted] == [1, 2]
    assert talk.welcomes == [None]


async def test_a_closed_room_has_no_capacity(talk: Talk) -> None:
    await talk.heard("status")
    talk.room.closed = True
    talk.session.tell_status()
    assert (await talk.heard("status")).status.available_capacity == 0


async def test_the_end_of_the_stream_ends_the_session(talk: Talk) -> None:
    await talk.ended()
    assert talk.running.done()


async def test_after_a_drain_there_is_no_room_until_the_next_welcome(talk: Talk) -> None:
    await talk.heard("status")
    talk.says(WELCOME, ServerMsg(drain=Drain()))
    await talk.ended()
    assert talk.room.status(0, azolla=False).available_capacity == 0
    again = Talk()
    again.room.paused = True
    again.says(WELCOME)
    await again.heard("status")
    await again.ended()
    assert again.room.status(0, azolla=False).available_capacity == 10


async def test_a_call_that_is_cancelled_from_the_other_side_is_an_end(talk: Talk) -> None:
    async def cancelled(request: ClientMsg) -> None:
        raise asyncio.CancelledError

    talk.call.write = cancelled  # pyright: ignore[reportAttributeAccessIssue]
    await talk.ended()
    assert not talk.running.cancelled()


async def test_results_wait_a_moment_for_one_another_while_others_run(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shepherd.link.session.RESULTS_APART_S", 0.1)
    talk.says(WELCOME, ServerMsg(tasks=TaskBatch(tasks=[Task(task_id="runs", attempt=1, name="n")])))
    await talk.heard("status")
    for name in "abc":
        talk.outbox.put(name, 1, End(outcome=Outcome.SUCCEEDED))
        for _ in range(5):
            await asyncio.sleep(0)
    batches = [await talk.heard("results"), await talk.heard("results")]
    assert [[each.task_id for each in batch.results.results] for batch in batches] == [["a"], ["b", "c"]]


async def test_results_wait_for_nobody_when_nothing_runs(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shepherd.link.session.RESULTS_APART_S", 3_600.0)
    talk.says(WELCOME)
    await talk.heard("status")
    for name in "ab":
        talk.outbox.put(name, 1, End(outcome=Outcome.SUCCEEDED))
        assert (await talk.heard("results")).results.results[0].task_id == name


async def test_many_results_wait_for_nobody(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shepherd.link.session.RESULTS_APART_S", 3_600.0)
    monkeypatch.setattr("shepherd.link.session.ENOUGH_RESULTS", 2)
    talk.says(WELCOME, ServerMsg(tasks=TaskBatch(tasks=[Task(task_id="runs", attempt=1, name="n")])))
    talk.outbox.put("a", 1, End(outcome=Outcome.SUCCEEDED))
    await talk.heard("results")
    for name in "bc":
        talk.outbox.put(name, 1, End(outcome=Outcome.SUCCEEDED))
    assert len((await talk.heard("results")).results.results) == 2
