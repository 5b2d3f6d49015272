"""The link, over a real connection to the small orchestrator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import grpc
import pytest
from structlog.testing import capture_logs

from shepherd.errors import EpochRefused, LinkError, ProtocolMismatch
from shepherd.link.session import Room
from shepherd.link.standing import standing
from shepherd.link.stream import Introduction, Link
from shepherd.wire.messages import Hello, ServerMsg, Task, TaskOffer
from shepherd.wire.payload import Assignment, End, Outcome
from tests.support.fake_orchestrator import FakeOrchestrator

DONE = End(outcome=Outcome.SUCCEEDED)


class Work:
    def __init__(self) -> None:
        self.accepted: list[Assignment] = []
        self.safe: list[tuple[str, int]] = []
        self.running: list[tuple[str, int]] = []

    @property
    def held(self) -> int:
        return len(self.running)

    def standing(self) -> list[tuple[str, int]]:
        return self.running

    def accept(self, assignments: Iterable[Assignment]) -> None:
        self.accepted += assignments

    def cancel(self, task_id: str, attempt: int, reason: str) -> None:
        return

    def refuse(self, keys: Iterable[tuple[str, int]]) -> None:
        return

    def acknowledged(self, task_id: str, attempt: int) -> None:
        self.safe.append((task_id, attempt))

    def pause(self) -> None:
        return

    def resume(self) -> None:
        return


class Linked:
    def __init__(self, fake: FakeOrchestrator) -> None:
        self.work = Work()
        introduction = Introduction(Hello(shepherd_uuid="me", epoch=4), lambda: [TaskOffer(name="n")])
        self.link = Link(fake.address, introduction, Room(window=5, max_concurrency=2))
        self.running = asyncio.ensure_future(self.link.run(self.work))

    async def close(self) -> None:
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError, LinkError):
            await self.running


@pytest.fixture
async def fake() -> AsyncIterator[FakeOrchestrator]:
    async with FakeOrchestrator() as fake:
        yield fake


@pytest.fixture
async def linked(fake: FakeOrchestrator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Linked]:
    monkeypatch.setattr("shepherd.link.stream.FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr("shepherd.link.stream.LONGEST_PAUSE_S", 0.005)
    linked = Linked(fake)
    yield linked
    await linked.close()


async def test_the_hello_carries_what_stands(fake: FakeOrchestrator, linked: Linked) -> None:
    fake.acknowledges = False
    linked.link.attempt_ended("a", 2, DONE)
    await fake.result("a", 2)
    linked.work.running = [("b", 1)]
    await fake.break_connection()
    await fake.until(lambda: len(fake.hellos) == 2)
    hello = fake.hellos[1]
    assert (hello.shepherd_uuid, hello.epoch, hello.protocol_version) == ("me", 4, 1)
    assert [(key.task_id, key.attempt) for key in hello.standing] == [("a", 2), ("b", 1)]
    assert [offer.name for offer in hello.offers] == ["n"]


async def test_results_are_kept_until_they_are_safe(fake: FakeOrchestrator, linked: Linked) -> None:
    fake.acknowledges = False
    linked.link.attempt_ended("a", 1, DONE)
    await fake.result("a")
    assert not await linked.link.flush(0.0)
    fake.acknowledges = True
    await fake.break_connection()
    assert await linked.link.flush(5)
    assert linked.work.safe == [("a", 1)]
    assert fake.batches == [1, 1]


async def test_started_logs_heartbeats_and_offers_arrive(fake: FakeOrchestrator, linked: Linked) -> None:
    await fake.until(lambda: fake.statuses)
    linked.link.attempt_started("a", 1, 7)
    linked.link.attempt_heartbeat("a", 1, 8, "half")
    linked.link.news.log_opened("a", 1, "local", "/x")
    linked.link.news.offers([TaskOffer(name="m")])
    await fake.until(lambda: fake.started and fake.heartbeats and fake.logs and fake.offers)
    assert [offer.name for offer in fake.offers] == ["m"]


async def test_a_closed_room_is_told(fake: FakeOrchestrator, linked: Linked) -> None:
    await fake.until(lambda: fake.statuses)
    assert fake.statuses[-1].available_capacity == 5
    linked.link.close_room()
    await fake.until(lambda: fake.statuses[-1].available_capacity == 0)


async def test_it_comes_back_and_says_so_once(fake: FakeOrchestrator, linked: Linked) -> None:
    linked.link.attempt_ended("first", 1, DONE)
    await fake.result("first")
    with capture_logs() as logs:
        await fake.stop_listening()
        await asyncio.wait([linked.running], timeout=0.05)
        await fake.listen()
        await fake.until(lambda: len(fake.hellos) == 2)
        linked.link.attempt_ended("a", 1, DONE)
        await fake.result("a")
    levels = [entry["log_level"] for entry in logs]
    assert levels.count("info") == 1
    assert levels.count("warning") <= 2  # the connection broke; nothing listens


async def test_an_orderly_end_is_followed_by_a_new_connection(fake: FakeOrchestrator, linked: Linked) -> None:
    for hellos in (1, 2, 3):
        await fake.until(lambda hellos=hellos: len(fake.hellos) >= hellos)
        await fake.break_connection()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, EpochRefused),
        (grpc.StatusCode.ALREADY_EXISTS, EpochRefused),
        (grpc.StatusCode.UNIMPLEMENTED, ProtocolMismatch),
        (grpc.StatusCode.PERMISSION_DENIED, LinkError),
    ],
)
async def test_a_refusal_ends_it(fake: FakeOrchestrator, code: grpc.StatusCode, kind: type[LinkError]) -> None:
    fake.refuses_with = (code, "not you")
    linked = Linked(fake)
    with pytest.raises(kind) as caught:
        await linked.running
    assert caught.value.why == "not you"
    assert caught.value.subject == fake.address
    assert caught.value.hint


async def test_a_refusal_after_a_welcome_is_waited_out(fake: FakeOrchestrator, linked: Linked) -> None:
    await fake.until(lambda: fake.hellos)
    fake.refuses_with = (grpc.StatusCode.UNIMPLEMENTED, "still starting")
    await fake.break_connection()
    await asyncio.wait([linked.running], timeout=0.02)
    fake.refuses_with = None
    await fake.until(lambda: len(fake.hellos) == 2)


async def test_a_cancelled_call_is_a_lost_connection(fake: FakeOrchestrator, linked: Linked) -> None:
    await fake.until(lambda: fake.hellos)
    fake.refuses_with = (grpc.StatusCode.CANCELLED, "by a proxy")
    await fake.break_connection()
    await asyncio.wait([linked.running], timeout=0.02)
    fake.refuses_with = None
    await fake.until(lambda: len(fake.hellos) == 2)


async def test_azolla_is_remembered_over_a_reconnect(fake: FakeOrchestrator, linked: Linked) -> None:
    fake.welcomes = False
    await fake.until(lambda: fake.hellos)
    await fake.break_connection()  # the first connection was welcomed, or about to be
    await fake.until(lambda: len(fake.hellos) >= 2)
    await fake.send(ServerMsg(task=Task(task_id="a", name="n")))
    linked.link.attempt_ended("a", 1, DONE)
    await fake.until(lambda: fake.results)
    hellos = len(fake.hellos)
    await fake.break_connection()
    await fake.until(lambda: len(fake.hellos) > hellos)
    linked.link.attempt_ended("b", 1, DONE)
    await fake.until(lambda: len(fake.results) == 2)
    assert fake.batches == []


def test_what_stands_is_named_once() -> None:
    keys = standing([("b", 1), ("a", 2)], [("b", 1), ("c", 1)])
    assert [(key.task_id, key.attempt) for key in keys] == [("a", 2), ("b", 1), ("c", 1)]
