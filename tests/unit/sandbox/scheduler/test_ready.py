"""Pending tasks in their lines."""

from __future__ import annotations

from sandbox.model.status import TaskStatus
from sandbox.scheduler.ready import ReadyLine, ReadyTasks
from tests.support.factories import make_task


def emptied(line: ReadyLine) -> list[int]:
    taken = []
    while (task := line.pop()) is not None:
        taken.append(int(task.task_id[-4:], 16))
    return taken


def test_first_come_first_served_within_a_priority():
    line = ReadyLine()
    for number in (3, 1, 2):
        line.push(make_task(number))
    assert emptied(line) == [3, 1, 2]


def test_higher_priority_goes_first():
    line = ReadyLine()
    for number, priority in ((1, 0), (2, 10), (3, -5), (4, 10), (5, 0)):
        line.push(make_task(number, priority=priority))
    assert emptied(line) == [2, 4, 1, 5, 3]


def test_a_priority_that_ran_empty_can_come_back():
    line = ReadyLine()
    line.push(make_task(1, priority=5))
    assert emptied(line) == [1]
    line.push(make_task(2, priority=5))
    line.push(make_task(3, priority=7))
    assert emptied(line) == [3, 2]


def test_cancelled_tasks_are_skipped_when_their_turn_comes():
    line = ReadyLine()
    tasks = [make_task(number) for number in (1, 2, 3)]
    for task in tasks:
        line.push(task)
    tasks[0].status = TaskStatus.CANCELLED
    assert len(line) == 3
    assert emptied(line) == [2, 3]
    assert not line


def test_position_counts_pending_tasks_only():
    line = ReadyLine()
    tasks = [make_task(number, priority=priority) for number, priority in ((1, 0), (2, 0), (3, 1))]
    for task in tasks:
        line.push(task)
    assert [line.position(task) for task in tasks] == [1, 2, 0]
    tasks[0].status = TaskStatus.CANCELLED
    assert line.position(tasks[1]) == 1
    assert line.position(make_task(9)) is None


def test_each_domain_and_queue_has_a_line_of_its_own():
    ready = ReadyTasks()
    assert not ready
    ready.push(make_task(1))
    ready.push(make_task(2, domain="other"))
    ready.push(make_task(3, queue="gpu"))
    ready.push(make_task(4))
    assert {key: len(line) for key, line in ready.lines()} == {
        ("default", "default"): 2,
        ("other", "default"): 1,
        ("default", "gpu"): 1,
    }
    assert len(ready) == 4
    assert ready


def test_an_empty_line_is_dropped_and_can_come_back():
    ready = ReadyTasks()
    ready.push(make_task(1))
    for _, line in ready.lines():
        assert line.pop() is not None
    assert not ready
    assert list(ready.lines()) == []
    assert ready.line("default", "default") is None
    ready.push(make_task(2))
    assert [len(line) for _, line in ready.lines()] == [1]
