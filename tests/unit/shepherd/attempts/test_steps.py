"""The steps of an attempt with a process of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from logsinks.errors import LogSinkError
from shepherd.attempts.attempt import Attempt
from shepherd.attempts.steps.environment import EnvironmentMaker, EnvironmentStep
from shepherd.attempts.steps.logs import LogsStep
from shepherd.attempts.steps.work_folder import WorkFolderStep, attempt_folder, remove_tree
from shepherd.definitions import DefinitionKind, TaskDefinition
from shepherd.wire.payload import Assignment, End, Outcome
from tests.support.tiers import FileCapture


def attempt(task_id: str = "a", **environment: str) -> Attempt:
    tier: Any = type("Tier", (), {"name": "process"})
    return Attempt(
        key=f"{task_id}:1",
        assignment=Assignment(task_id=task_id, attempt=1, name="n", domain="d", queue="q"),
        definition=TaskDefinition(name="n", kind=DefinitionKind.PYTHON, source=Path("n.py"), environment=environment),
        tier=tier,
        started_ms=1_700_000_000_000,
    )


def ended() -> End:
    return End(outcome=Outcome.SUCCEEDED)


async def test_the_folder_is_for_this_attempt_alone_and_its_work_goes(tmp_path: Path) -> None:
    one, step = attempt(), WorkFolderStep(tmp_path)
    assert await step.do(one) is None
    folder = tmp_path / "a.1"
    assert one.folder == folder
    assert folder.stat().st_mode & 0o077 == 0
    (folder / "work" / "left").mkdir()
    (folder / "control" / "assignment.json").touch()
    end = ended()
    await step.undo(one, end)
    assert not (folder / "work").exists()
    assert (folder / "control").exists()
    assert end.left_behind == ""


async def test_nothing_stays_of_an_attempt_that_never_ran(tmp_path: Path) -> None:
    one, step = attempt(), WorkFolderStep(tmp_path)
    await step.do(one)
    await step.undo(one, ended())
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_of_an_earlier_start_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "a.1" / "work").mkdir(parents=True)
    (tmp_path / "a.1" / "work" / "old").touch()
    await WorkFolderStep(tmp_path).do(attempt())
    assert not (tmp_path / "a.1" / "work" / "old").exists()


async def test_a_work_folder_that_stays_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, step = attempt(), WorkFolderStep(tmp_path)
    await step.do(one)
    (tmp_path / "a.1" / "control" / "assignment.json").touch()
    monkeypatch.setattr("shepherd.attempts.steps.work_folder.remove_tree", lambda folder: None)
    end = ended()
    end.left_behind = "process 1 (init)"
    await step.undo(one, end)
    assert end.left_behind == f"process 1 (init), folder {tmp_path / 'a.1' / 'work'}"


@pytest.mark.parametrize("task_id", ["../x", "a/b", ".hidden", "a\0b"])
def test_ids_that_would_leave_the_folder_are_refused(tmp_path: Path, task_id: str) -> None:
    with pytest.raises(ValueError, match="no task id"):
        attempt_folder(tmp_path, task_id, 1)


def test_a_tree_that_may_not_be_written_is_removed_too(tmp_path: Path) -> None:
    inner = tmp_path / "top" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (inner / "link").symlink_to(tmp_path)
    inner.chmod(0o500)
    (tmp_path / "top").chmod(0o500)
    remove_tree(tmp_path / "top")
    assert not (tmp_path / "top").exists()
    assert tmp_path.exists()


async def test_the_environment_is_made_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    one = attempt(COLOUR="blue", BOTH="${COLOUR} ${PATH}")
    one.folder = tmp_path
    assert await EnvironmentStep(EnvironmentMaker({})).do(one) is None
    path = os.environ["PATH"]
    assert dict(one.environment) == {
        "PATH": path,
        "LANG": "de_DE.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HOME": str(tmp_path / "work"),
        "COLOUR": "blue",
        "BOTH": f"blue {path}",
        "AZOLLA_TASK_ID": "a",
        "AZOLLA_ATTEMPT": "1",
        "AZOLLA_TASK_NAME": "n",
        "AZOLLA_DOMAIN": "d",
        "AZOLLA_QUEUE": "q",
    }


async def test_a_secret_that_is_named_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0k3n")
    one = attempt(KEY="${secret:TOKEN}")
    one.folder = tmp_path
    await EnvironmentStep(EnvironmentMaker.from_names(("TOKEN", "NOT_SET"))).do(one)
    assert one.environment["KEY"] == "t0k3n"


async def test_a_secret_that_isnt_there_ends_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "not for tasks")
    one = attempt(KEY="${secret:TOKEN}")
    one.folder = tmp_path
    end = await EnvironmentStep(EnvironmentMaker({})).do(one)
    assert end is not None
    assert (end.outcome, end.error_type, end.retriable) == (Outcome.FAILED, "MissingReference", False)
    assert "secrets_env" in end.error_message
    assert "not for tasks" not in end.error_message


async def test_logs_are_sealed_and_counted(tmp_path: Path) -> None:
    capture = FileCapture(tmp_path)
    one, step = attempt(), LogsStep(capture, "me", "host")
    assert await step.do(one) is None
    assert one.output is not None
    os.write(one.output[0], b"one\n")
    end = ended()
    await step.undo(one, end)
    assert (end.log_bytes, end.log_lines) == (4, 1)
    assert one.output is None


class Broken(FileCapture):
    async def open_pipes(self, identity: Any) -> FileCapture.Pipes:
        raise LogSinkError("no catcher")

    async def seal(self, task_id: str, attempt: int) -> FileCapture.Sealed:
        raise LogSinkError("no catcher")


async def test_without_a_catcher_nothing_is_started(tmp_path: Path) -> None:
    one, step = attempt(), LogsStep(Broken(tmp_path), "me", "host")
    end = await step.do(one)
    assert end is not None
    assert end.outcome is Outcome.LOST
    await step.undo(one, end)


async def test_a_log_that_cant_be_sealed_keeps_no_result_back(tmp_path: Path) -> None:
    one, step = attempt(), LogsStep(Broken(tmp_path), "me", "host")
    one.captured = True
    end = ended()
    await step.undo(one, end)
    assert end.outcome is Outcome.SUCCEEDED
