"""What the next start of a shepherd finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shepherd.attempts.attempt import Attempt
from shepherd.attempts.journal import Journal
from shepherd.definitions import DefinitionKind, ServiceSettings, TaskDefinition
from shepherd.wire.payload import Assignment, End, Outcome


def opened(folder: Path) -> Journal:
    journal = Journal(folder / "journal", folder / "work")
    journal.open()
    return journal


def attempt(folder: Path, task_id: str = "a") -> Attempt:
    tier: Any = type("Tier", (), {"name": "process"})
    made = folder / "work" / f"{task_id}.1"
    (made / "control").mkdir(parents=True)
    return Attempt(
        key=f"{task_id}:1",
        assignment=Assignment(task_id=task_id, attempt=1, name="n", labels={"k": "v"}, args="[1]"),
        definition=TaskDefinition(
            name="n",
            kind=DefinitionKind.PYTHON,
            source=Path("n.py"),
            service=ServiceSettings(kill_signal="SIGINT"),
        ),
        tier=tier,
        time_limit_s=2.5,
        grace_s=3.0,
        started_ms=7,
    )


def test_a_running_attempt_is_found_with_all_that_its_end_needs(tmp_path: Path) -> None:
    opened(tmp_path).begin(attempt(tmp_path))
    (entry,) = opened(tmp_path).load()
    assert (entry.started_ms, entry.time_limit_s, entry.grace_s, entry.kill_signal) == (7, 2.5, 3.0, "SIGINT")
    assert (entry.assignment.task_id, entry.assignment.args, entry.assignment.labels) == ("a", "[1]", {"k": "v"})
    assert entry.folder == tmp_path / "work" / "a.1"
    assert entry.folder.exists()
    assert entry.end is None


def test_an_end_is_found_as_it_was(tmp_path: Path) -> None:
    journal, one = opened(tmp_path), attempt(tmp_path)
    journal.begin(one)
    journal.end(one, End(outcome=Outcome.SUCCEEDED, result_json='"ä"', exit_code=0, log_bytes=5))
    (entry,) = opened(tmp_path).load()
    assert entry.end is not None
    assert (entry.end.outcome, entry.end.result_json, entry.end.exit_code) == (Outcome.SUCCEEDED, '"ä"', 0)
    assert entry.end.log_bytes == 5
    assert isinstance(entry.end.outcome, Outcome)


def test_what_is_acknowledged_leaves_nothing(tmp_path: Path) -> None:
    journal, one = opened(tmp_path), attempt(tmp_path)
    journal.begin(one)
    journal.end(one, End(outcome=Outcome.SUCCEEDED))
    journal.forget("a", 1)
    assert list((tmp_path / "journal").iterdir()) == []
    assert list((tmp_path / "work").iterdir()) == []
    assert opened(tmp_path).load() == []


def test_what_was_found_can_be_forgotten_too(tmp_path: Path) -> None:
    opened(tmp_path).begin(attempt(tmp_path))
    journal = opened(tmp_path)
    journal.load()
    journal.forget("a", 1)
    assert opened(tmp_path).load() == []


def test_attempts_it_never_saw_are_no_business_of_it(tmp_path: Path) -> None:
    journal, one = opened(tmp_path), attempt(tmp_path)
    journal.end(one, End(outcome=Outcome.SUCCEEDED))
    journal.forget("a", 1)
    assert (tmp_path / "work" / "a.1").exists()
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"assignment": {"task_id": "a"}}'])
def test_an_entry_that_cant_be_read_goes(tmp_path: Path, content: str) -> None:
    opened(tmp_path).begin(attempt(tmp_path))
    opened(tmp_path).begin(attempt(tmp_path, "b"))
    (tmp_path / "journal" / "a.1.json").write_text(content)
    assert [entry.assignment.task_id for entry in opened(tmp_path).load()] == ["b"]
    assert not (tmp_path / "journal" / "a.1.json").exists()


def test_a_half_written_end_is_no_end(tmp_path: Path) -> None:
    journal, one = opened(tmp_path), attempt(tmp_path)
    journal.begin(one)
    (tmp_path / "journal" / "a.1.end-new").write_text("{")
    (entry,) = opened(tmp_path).load()
    assert entry.end is None


def test_folders_of_attempts_that_never_began_go(tmp_path: Path) -> None:
    attempt(tmp_path)
    assert opened(tmp_path).load() == []
    assert not (tmp_path / "work" / "a.1").exists()
