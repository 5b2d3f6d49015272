"""Who gets which task."""

from __future__ import annotations

from collections import Counter

from sandbox.dispatch.dispatcher import QUANTUM, Dispatcher
from sandbox.dispatch.shepherds import Shepherds
from sandbox.model.status import TaskStatus
from tests.support.factories import (
    OTHER_SHEPHERD,
    SHEPHERD,
    make_azolla_info,
    make_connection,
    make_info,
    make_live,
    make_task,
    make_taskset,
    task_id,
)
from tests.support.manual_clock import ManualClock


class World:
    def __init__(self, *tasks, infos=()) -> None:
        self.clock = ManualClock()
        self.shepherds = Shepherds(self.clock, lease_s=10)
        self.dispatcher = Dispatcher(self.shepherds)
        self.taskset, self.ready = make_taskset(tasks)
        self.dispatcher.serve(self.taskset)
        self.connections = {info.shepherd_id: make_connection(info) for info in infos}
        for connection in self.connections.values():
            self.shepherds.connect(connection)

    def choose(self) -> list[tuple[int, str]]:
        return [(int(each.task_id[-4:], 16), each.shepherd_id) for each in self.dispatcher.choose(self.ready)]


def test_nobody_there_nobody_served():
    world = World(make_task(1))
    assert world.choose() == []
    assert len(world.ready) == 1


def test_a_dispatcher_without_a_state_gives_nothing():
    shepherds = Shepherds(ManualClock(), lease_s=10)
    shepherds.connect(make_connection())
    _, ready = make_taskset([make_task(1)])
    assert Dispatcher(shepherds).choose(ready) == []


def test_no_more_than_the_window():
    world = World(*(make_task(number) for number in range(1, 10)), infos=[make_info(window=3)])
    assert world.choose() == [(1, SHEPHERD), (2, SHEPHERD), (3, SHEPHERD)]
    assert len(world.ready) == 6


def test_live_attempts_take_places():
    world = World(make_live(1), make_live(2), make_task(3), make_task(4), infos=[make_info(window=3)])
    assert world.choose() == [(3, SHEPHERD)]
    full = World(make_live(1), make_live(2), make_task(3), infos=[make_info(window=2)])
    assert full.choose() == []


def test_more_live_attempts_than_places_is_no_place():
    world = World(*(make_live(number) for number in range(1, 6)), make_task(9), infos=[make_info(window=2)])
    assert world.choose() == []


def test_of_two_shepherds_the_freer_one_gets_the_next():
    world = World(
        *(make_task(number) for number in range(1, 7)),
        infos=[make_info(SHEPHERD, window=2), make_info(OTHER_SHEPHERD, window=4)],
    )
    chosen = world.choose()
    assert Counter(shepherd for _, shepherd in chosen) == {SHEPHERD: 2, OTHER_SHEPHERD: 4}
    assert [number for number, _ in chosen] == [1, 2, 3, 4, 5, 6]
    assert chosen[0] == (1, OTHER_SHEPHERD)


def test_a_shepherd_gets_only_its_queue_and_its_domain():
    world = World(
        make_task(1, domain="a"),
        make_task(2, domain="b"),
        make_task(3, domain="a", queue="gpu"),
        infos=[make_azolla_info(SHEPHERD, domain="a"), make_info(OTHER_SHEPHERD, queue="gpu")],
    )
    assert sorted(world.choose()) == [(1, SHEPHERD), (3, OTHER_SHEPHERD)]
    assert [key for key, _ in world.ready.lines()] == [("b", "default")]


def test_a_line_that_nobody_serves_doesnt_hold_up_the_others():
    world = World(
        *(make_task(number, domain="nobody") for number in range(1, 200)),
        make_task(300, domain="a"),
        infos=[make_azolla_info(domain="a", window=2)],
    )
    for _ in range(3):
        world.choose()
    assert len(world.ready) == 199


def test_turns_between_a_long_and_a_short_line():
    world = World(
        *(make_task(number, domain="long") for number in range(1, 1000)),
        *(make_task(number, domain="short") for number in range(1000, 1010)),
        infos=[make_info(window=3 * QUANTUM)],
    )
    chosen = [number for number, _ in world.choose()]
    assert len(chosen) == 3 * QUANTUM
    assert set(range(1000, 1010)) <= set(chosen)
    assert [number for number in chosen if number < 1000] == list(range(1, 3 * QUANTUM - 9))


def test_each_round_begins_with_another_line():
    world = World(
        *(make_task(number, domain="a") for number in range(1, 50)),
        *(make_task(number, domain="b") for number in range(100, 150)),
        infos=[make_info(window=1)],
    )
    first_ones = []
    for _ in range(4):
        ((number, shepherd),) = world.choose()
        assert shepherd == SHEPHERD
        first_ones.append("a" if number < 100 else "b")
    assert first_ones == ["a", "b", "a", "b"]


def test_a_cancelled_task_takes_no_turn_and_no_place():
    tasks = [make_task(number) for number in (1, 2, 3)]
    world = World(*tasks, infos=[make_info(window=2)])
    tasks[0].status = TaskStatus.CANCELLED
    assert world.choose() == [(2, SHEPHERD), (3, SHEPHERD)]


def test_who_drains_or_is_to_leave_gets_nothing():
    world = World(make_task(1), infos=[make_info()])
    world.connections[SHEPHERD].drains = True
    assert world.choose() == []
    world = World(make_task(1), infos=[make_info()])
    world.dispatcher.reset()
    assert world.connections[SHEPHERD].close_with == "the orchestrator reads its state anew"
    assert world.choose() == []
    world = World(make_task(1), infos=[make_info()])
    world.dispatcher.lost(SHEPHERD)
    assert world.choose() == []


def test_losing_a_shepherd_that_isnt_there_is_nothing():
    world = World()
    world.dispatcher.lost(SHEPHERD)
    world.dispatcher.reset()


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────


def test_each_connection_is_sent_its_own():
    one, other = make_live(1), make_live(2, shepherd_id=OTHER_SHEPHERD)
    world = World(one, other, infos=[make_info(SHEPHERD), make_info(OTHER_SHEPHERD)])
    world.dispatcher.send([(one, 1), (other, 1)])
    assert world.connections[SHEPHERD].take().tasks == [one]
    assert world.connections[OTHER_SHEPHERD].take().tasks == [other]


def test_what_is_no_longer_live_is_not_sent():
    lost, again, gone = make_live(1), make_live(2), make_live(3, shepherd_id=OTHER_SHEPHERD)
    world = World(lost, again, gone, infos=[make_info()])
    lost.shepherd_id, lost.status = "", TaskStatus.PENDING
    again.attempt = 2
    world.dispatcher.send([(lost, 1), (again, 1), (gone, 1)])
    assert world.connections[SHEPHERD].take().tasks == []


def test_what_stops_being_live_before_the_peer_reads_is_not_sent():
    task, moved = make_live(1), make_live(2)
    world = World(task, moved, infos=[make_info()])
    world.dispatcher.send([(task, 1), (moved, 1)])
    moved.attempt, moved.shepherd_id = 1, OTHER_SHEPHERD
    taken = world.connections[SHEPHERD].take()
    assert taken.tasks == [task]
    assert world.connections[SHEPHERD].take().tasks == []


def test_taking_empties():
    world = World(infos=[make_info()])
    connection = world.connections[SHEPHERD]
    connection.send_acked(3)
    connection.send_acked(4)
    connection.send_cancel(task_id(1), 1, "why")
    taken = connection.take()
    assert (taken.acked, taken.cancels) == (4, [(task_id(1), 1, "why")])
    empty = connection.take()
    assert (empty.acked, empty.cancels, empty.tasks) == (None, [], [])


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────


def test_cancel_reaches_our_shepherds_only():
    task = make_live()
    world = World(task, infos=[make_info()])
    assert world.dispatcher.cancel(task, "why")
    assert world.connections[SHEPHERD].take().cancels == [(task_id(1), 1, "why")]
    assert not World(task, infos=[make_azolla_info()]).dispatcher.cancel(task, "why")
    assert not World(task).dispatcher.cancel(task, "why")


def test_cancel_of_one_that_is_out_of_reach_waits_for_its_return():
    task = make_live()
    world = World(task, infos=[make_info()])
    world.shepherds.disconnect(world.connections[SHEPHERD])
    assert world.dispatcher.cancel(task, "why")
    assert world.connections[SHEPHERD].take().cancels == []


def test_who_keeps_deadlines():
    world = World(infos=[make_info(SHEPHERD), make_azolla_info(OTHER_SHEPHERD)])
    assert world.dispatcher.keeps_deadlines(SHEPHERD)
    assert not world.dispatcher.keeps_deadlines(OTHER_SHEPHERD)
    assert not world.dispatcher.keeps_deadlines("nobody")
