"""Those who wait."""

from __future__ import annotations

import asyncio

from sandbox.dispatch.waiters import Waiters
from sandbox.model.event import OrchestratorStarted
from tests.support.factories import make_ended, task_id


def test_each_is_told_once():
    waiters, heard = Waiters(), []
    waiters.add(task_id(1), lambda task: heard.append(("a", task)))
    waiters.add(task_id(1), lambda task: heard.append(("b", task)))
    waiters.add(task_id(2), lambda task: heard.append(("c", task)))
    ended = make_ended(1)
    waiters.ended([ended])
    waiters.ended([ended])
    assert heard == [("a", ended), ("b", ended)]
    assert len(waiters) == 1


def test_one_that_left_is_not_told():
    waiters, heard = Waiters(), []
    waiters.add(task_id(1), heard.append)
    waiters.remove(task_id(1), heard.append)
    waiters.remove(task_id(1), heard.append)
    waiters.remove(task_id(7), heard.append)
    waiters.ended([make_ended(1)])
    assert heard == []
    assert len(waiters) == 0


def test_one_may_leave_or_come_while_others_are_told():
    waiters, heard = Waiters(), []

    def leaves(task):
        heard.append("first")
        waiters.remove(task_id(1), later)
        waiters.add(task_id(2), later)

    def later(task):
        heard.append(task.task_id)

    waiters.add(task_id(1), leaves)
    waiters.add(task_id(1), later)
    waiters.ended([make_ended(1), make_ended(2)])
    assert heard == ["first", task_id(1), task_id(2)]


async def test_news_reach_every_listener_until_it_leaves():
    waiters = Waiters()
    one, other = waiters.listen(), waiters.listen()
    waiters.leave(other)
    waiters.leave(other)
    waiters.news([])
    assert (one.is_set(), other.is_set()) == (True, False)


async def test_every_event_is_counted_after_those_who_wait_have_heard():
    counted = []
    fact = OrchestratorStarted(time_ms=1, version="test", unfinished=0)
    Waiters(counted.extend).news([fact])
    assert counted == []
    await asyncio.sleep(0)
    assert counted == [fact]
