"""What is remembered of shepherds: connections, leases, offers."""

from __future__ import annotations

import pytest

from sandbox.dispatch.shepherds import AZOLLA_LEASE_S, Shepherds
from sandbox.model.retry_policy import RetryPolicy
from tests.support.factories import (
    OTHER_SHEPHERD,
    SHEPHERD,
    every_error,
    make_azolla_info,
    make_connection,
    make_info,
)
from tests.support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def shepherds(clock: ManualClock) -> Shepherds:
    return Shepherds(clock, lease_s=10)


def test_a_second_connection_takes_the_place_of_the_first(shepherds):
    first, second = make_connection(), make_connection()
    assert shepherds.connect(first) is None
    assert shepherds.connect(second) is first
    assert shepherds.connected == {SHEPHERD: second}
    assert not shepherds.disconnect(first)
    assert shepherds.connected == {SHEPHERD: second}
    assert shepherds.disconnect(second)
    assert shepherds.connected == {}
    assert shepherds.known[SHEPHERD].connection is None
    assert not shepherds.disconnect(second)


def test_a_lease_counts_from_the_last_word(shepherds, clock):
    shepherds.connect(make_connection())
    clock.advance(7)
    assert shepherds.lease_left(SHEPHERD) == 3
    shepherds.heard(SHEPHERD)
    assert shepherds.lease_left(SHEPHERD) == 10
    assert shepherds.known[SHEPHERD].last_seen_ms == clock.now_ms()
    clock.advance(12)
    assert shepherds.lease_left(SHEPHERD) == -2


def test_the_lease_goes_on_when_the_connection_ends(shepherds, clock):
    connection = make_connection()
    shepherds.connect(connection)
    clock.advance(4)
    shepherds.disconnect(connection)
    assert shepherds.lease_left(SHEPHERD) == 6


def test_an_azolla_shepherd_may_be_silent_for_longer(shepherds, clock):
    shepherds.connect(make_connection(make_azolla_info()))
    clock.advance(30)
    assert shepherds.lease_left(SHEPHERD) == AZOLLA_LEASE_S - 30


def test_one_that_was_not_seen_since_the_start_has_a_lease_from_then_on(shepherds, clock):
    clock.advance(4)
    assert shepherds.lease_left("nobody yet") == 6
    shepherds.heard("nobody yet")
    assert shepherds.lease_left("nobody yet") == 6


def test_offers_outlive_a_reconnect(shepherds):
    shepherds.connect(make_connection())
    shepherds.offer(SHEPHERD, {"render": None})
    shepherds.connect(make_connection())
    assert shepherds.offered() == {"render"}


def test_offers_are_replaced_and_policies_updated(shepherds):
    policy = every_error()
    shepherds.connect(make_connection())
    shepherds.offer(SHEPHERD, {"render": policy, "crop": None})
    assert shepherds.policies == {"render": policy, "crop": None}
    shepherds.offer(SHEPHERD, {"render": RetryPolicy()})
    assert shepherds.offered() == {"render"}
    assert shepherds.policies["render"] == RetryPolicy()


def test_names_of_every_shepherd_count_even_of_those_that_are_away(shepherds):
    connection = make_connection()
    shepherds.connect(connection)
    shepherds.connect(make_connection(make_info(OTHER_SHEPHERD)))
    shepherds.offer(SHEPHERD, {"render": None})
    shepherds.offer(OTHER_SHEPHERD, {"crop": None})
    shepherds.disconnect(connection)
    assert shepherds.offered() == {"render", "crop"}
    shepherds.offer("nobody", {"x": None})
    assert shepherds.offered() == {"render", "crop"}


def test_while_an_azolla_shepherd_is_there_no_name_can_be_ruled_out(shepherds):
    azolla = make_connection(make_azolla_info(OTHER_SHEPHERD))
    shepherds.connect(make_connection())
    shepherds.offer(SHEPHERD, {"render": None})
    shepherds.connect(azolla)
    assert shepherds.offered() is None
    shepherds.disconnect(azolla)
    assert shepherds.offered() == {"render"}


@pytest.mark.parametrize(
    ("info", "domain", "queue", "serves"),
    [
        (make_info(), "any", "default", True),
        (make_info(), "any", "gpu", False),
        (make_azolla_info(), "default", "default", True),
        (make_azolla_info(), "other", "default", False),
        (make_azolla_info(queue="gpu"), "default", "default", False),
    ],
)
def test_which_lines_are_served(info, domain, queue, serves):
    assert info.serves(domain, queue) is serves
