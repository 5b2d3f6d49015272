"""The list of what is due later."""

from __future__ import annotations

from sandbox.scheduler.timers import DeadlineDue, LeaseDue, RetryDue, Timers


def test_what_is_due_comes_earliest_first_and_only_once():
    timers = Timers()
    for when in (3.0, 1.0, 2.0, 5.0):
        timers.add(when, RetryDue(f"task {when}", 1))
    assert timers.next_when() == 1.0
    assert [due.task_id for due in timers.pop_due(3.0)] == ["task 1.0", "task 2.0", "task 3.0"]
    assert list(timers.pop_due(3.0)) == []
    assert (timers.next_when(), len(timers)) == (5.0, 1)


def test_the_same_moment_keeps_the_order_of_adding_and_never_compares_kinds():
    timers = Timers()
    added = [LeaseDue("s"), RetryDue("t", 1), DeadlineDue("t", 1), LeaseDue("s")]
    for due in added:
        timers.add(7.0, due)
    assert list(timers.pop_due(7.0)) == added


def test_nothing_is_due_in_an_empty_list():
    timers = Timers()
    assert timers.next_when() is None
    assert list(timers.pop_due(1e12)) == []
    timers.add(1.0, LeaseDue("s"))
    timers.clear()
    assert len(timers) == 0


def test_what_is_added_while_popping_comes_up_too():
    timers = Timers()
    timers.add(1.0, LeaseDue("first"))
    seen = []
    for due in timers.pop_due(2.0):
        seen.append(due)
        if len(seen) == 1:
            timers.add(2.0, LeaseDue("second"))
    assert seen == [LeaseDue("first"), LeaseDue("second")]
