from __future__ import annotations

from pathlib import Path

from summary import Summary, lines

SUMMARY = Summary(
    tasks=736,
    succeeded=735,
    retries=2,
    seconds=4.0,
    rate=184.0,
    report=Path("/o/report.html"),
    archive=Path("/o/census.tar.gz"),
    archive_bytes=61_000,
    logs=Path("/s/logs"),
    database=Path("/s/azolla.db"),
    broken="0198f2d4-5c3a-8000-9abc-0123456789ab",
    web="http://127.0.0.1:52711",
)


def told() -> list[str]:
    return lines(SUMMARY, lambda words: f"azolla-local {words}", again="./quickstart/run")


def test_says_what_was_done_first() -> None:
    assert told()[0] == "736 tasks in 4.0 s (184/s): 735 succeeded, 1 failed on purpose after 2 retries."


def test_says_where_things_are() -> None:
    text = "\n".join(told())
    for place in ("/o/report.html", "/o/census.tar.gz (60 KiB)", "/s/logs", "/s/azolla.db"):
        assert place in text


def test_three_commands_and_how_to_stop() -> None:
    text = "\n".join(told())
    start = text.index("Three things")
    three = text[start : text.index("goes on running")]
    assert three.count("  azolla-local ") == 3
    assert f"azolla-local why {SUMMARY.broken}" in three
    assert "azolla-local down" in text
    assert "./quickstart/run" in text
