"""What is told beside results."""

from __future__ import annotations

import pytest

from shepherd.link.news import News
from shepherd.wire.messages import ClientMsg, TaskOffer


@pytest.fixture
def news() -> News:
    return News(lambda: None)


def drained(news: News) -> list[ClientMsg]:
    found: list[ClientMsg] = []
    while (message := news.next_message()) is not None:
        found.append(message)
    return found


def test_starts_go_together(news: News) -> None:
    news.started("a", 1, 10)
    news.started("b", 2, 20)
    (message,) = drained(news)
    assert [(each.task_id, each.attempt, each.started_ms) for each in message.started.started] == [
        ("a", 1, 10),
        ("b", 2, 20),
    ]


def test_of_several_heartbeats_the_last_counts(news: News) -> None:
    news.heartbeat("a", 1, 10, "one")
    news.heartbeat("a", 1, 20, "two")
    (message,) = drained(news)
    assert [(each.time_ms, each.note) for each in message.heartbeats.heartbeats] == [(20, "two")]


def test_a_reconnect_forgets_what_the_hello_tells_and_keeps_logs(news: News) -> None:
    news.started("a", 1, 10)
    news.heartbeat("a", 1, 10, "one")
    news.offers([TaskOffer(name="n")])
    news.log_opened("a", 1, "local", "/logs/a.log")
    news.reconnected()
    (message,) = drained(news)
    assert [(each.sink, each.locator) for each in message.logs.opened] == [("local", "/logs/a.log")]


def test_offers_that_become_none_are_told_too(news: News) -> None:
    news.offers([])
    (message,) = drained(news)
    assert message.WhichOneof("kind") == "offers"


def test_who_knows_none_of_it_is_told_nothing(news: News) -> None:
    news.log_opened("a", 1, "local", "x")
    news.started("a", 1, 10)
    news.forget_all()
    assert drained(news) == []
