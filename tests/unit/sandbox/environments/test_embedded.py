"""Up, down and status of embedded environments, with processes that only pretend."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.environments.contract import DownOptions
from sandbox.environments.embedded.pid_files import ProcessMark
from sandbox.environments.embedded.processes import wait_for_end
from sandbox.environments.embedded.record import write_json
from sandbox.errors import EnvironmentNotFound, StartFailed, StoreError
from tests.support.fake_environment import (
    FREE,
    FakeEnvironments,
    ignore,
    mark_of,
    nothing_runs,
    pid_of,
    record_of,
    until,
)


def test_up_starts_everything_and_down_leaves_nothing(environments: FakeEnvironments) -> None:
    environment = environments.make()
    report = environments.up(environment)
    assert report.ready
    assert not report.already_running
    assert report.definitions == 1
    status = environment.status()
    assert status.state == "running"
    assert status.answers
    assert [part.state for part in status.parts] == ["running"] * 3
    assert all(part.memory_bytes for part in status.parts)
    assert status.tasks == {"pending": 3, "succeeded": 4}
    assert status.problems == ()
    down = environment.down(DownOptions(), ignore)
    assert down.was_running
    assert down.killed == ()
    assert nothing_runs(environment)
    assert environment.status().state == "stopped"


def test_the_supervisor_stays_small(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    memory = next(part.memory_bytes for part in environment.status().parts if part.name == "supervisor")
    assert memory is not None
    bare = subprocess.run(
        [sys.executable, "-c", "import psutil; print(psutil.Process().memory_info().rss)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert memory < int(bare.stdout) + 8 * 1024 * 1024


def test_the_shepherd_stops_before_the_orchestrator(environments: FakeEnvironments) -> None:
    environment = environments.make(orchestrator="serve", shepherd="wait")
    environments.up(environment)
    logs = [environment.folder.part_log(part) for part in ("shepherd", "orchestrator")]
    environment.down(DownOptions(), ignore)
    stopped = [int(log.read_text().split()[-1]) for log in logs]
    assert stopped == sorted(stopped)


def test_a_second_up_changes_nothing(environments: FakeEnvironments) -> None:
    environment = environments.make()
    first = environments.up(environment)
    before = record_of(environment)
    again = environments.up(environments.make())
    assert again.already_running
    assert again.http == first.http
    assert again.notes == ()
    assert record_of(environment) == before


def test_a_second_up_says_what_differs_and_restart_applies_it(environments: FakeEnvironments, tmp_path: Path) -> None:
    environment = environments.make()
    environments.up(environment)
    before = pid_of(environment, "orchestrator")
    other = environments.make(flags={**FREE, ("tasks", "folders"): ("--tasks", [tmp_path])})
    report = environments.up(other)
    assert report.notes == (
        f"task folders: none runs, {tmp_path} is wanted now",
        "up --restart applies it",
    )
    assert pid_of(environment, "orchestrator") == before
    report = environments.up(other, restart=True)
    assert report.task_folders == (str(tmp_path),)
    assert pid_of(environment, "orchestrator") != before


def test_up_from_elsewhere_does_not_complain_about_task_folders(environments: FakeEnvironments, tmp_path: Path) -> None:
    environments.up(environments.make(flags={**FREE, ("tasks", "folders"): ("--tasks", [tmp_path])}))
    assert environments.up(environments.make(cwd=tmp_path)).notes == ()


def test_a_dead_part_is_started_again(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    shepherd = mark_of(environment, "shepherd")
    shepherd.send(signal.SIGKILL)
    assert wait_for_end(shepherd, 10)
    until(lambda: environment.status().state == "running" and pid_of(environment, "shepherd") != shepherd.pid)
    (problem,) = environment.status().problems
    assert problem.startswith("the shepherd was started again once, last was killed by signal 9")


def test_a_part_that_fails_for_good_is_told_in_its_own_words(environments: FakeEnvironments) -> None:
    environment = environments.make(orchestrator="fail:7")
    with pytest.raises(StoreError) as caught:
        environments.up(environment)
    assert caught.value.exit_code == 7
    assert caught.value.what == "the orchestrator didn't start: The database is none of ours (azolla.db)"
    assert caught.value.why == "it has other tables"
    assert caught.value.hint == "mv it away"
    assert nothing_runs(environment)


def test_a_part_that_crashes_again_and_again_is_given_up_before_the_time_is_over(
    environments: FakeEnvironments,
) -> None:
    environment = environments.make(shepherd="fail:1", orchestrator="serve-alone")
    with pytest.raises(StartFailed, match="didn't start: The database"):
        environments.up(environment)
    assert nothing_runs(environment)


def test_a_part_that_fails_once_is_no_failure(environments: FakeEnvironments) -> None:
    environment = environments.make(shepherd="fail-once:1")
    environments.up(environment)
    until(lambda: record_of(environment).parts["shepherd"].state == "running")
    until(lambda: record_of(environment).parts["shepherd"].restarts == 1)


def test_without_a_shepherd_up_says_so_when_the_time_is_over(environments: FakeEnvironments) -> None:
    environment = environments.make(orchestrator="serve-alone")
    with pytest.raises(StartFailed, match="no task can run") as caught:
        environments.up(environment, timeout_s=0.5)
    assert "the shepherd runs, but isn't ready" in caught.value.why
    assert nothing_runs(environment)


def test_no_wait_returns_at_once(environments: FakeEnvironments) -> None:
    environment = environments.make(orchestrator="wait")
    report = environments.up(environment, wait=False)
    assert not report.ready
    assert record_of(environment).alive()
    assert environment.status().state == "starting"
    assert not environment.status().answers


def test_down_kills_what_does_not_end(environments: FakeEnvironments) -> None:
    environment = environments.make(shepherd="stubborn")
    environments.up(environment)
    report = environment.down(DownOptions(timeout_s=0.2), environments.said.append)
    assert report.was_running
    assert nothing_runs(environment)
    assert "the time is over; what still runs is ended" in environments.said


@pytest.mark.slow
def test_down_ends_helpers_that_left_the_session(environments: FakeEnvironments) -> None:
    environment = environments.make(shepherd="daemon")
    environments.up(environment)
    environment.down(DownOptions(), ignore)
    assert nothing_runs(environment)


def test_down_twice_and_down_of_nothing(environments: FakeEnvironments) -> None:
    environment = environments.make()
    assert not environment.down(DownOptions(), ignore).was_running
    environments.up(environment)
    assert environment.down(DownOptions(), ignore).was_running
    assert not environment.down(DownOptions(), ignore).was_running


def test_down_with_volumes_deletes_the_state(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    assert environment.down(DownOptions(volumes=True), ignore).deleted
    assert not environment.folder.path.exists()
    with pytest.raises(EnvironmentNotFound):
        environment.status()


def test_a_stale_record_with_a_pid_in_new_hands_harms_nobody(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    stale = record_of(environment)
    environment.down(DownOptions(), ignore)
    me = ProcessMark(os.getpid(), "another start")
    parts = {name: part._replace(process=me) for name, part in stale.parts.items()}
    write_json(environment.folder.record, stale._replace(supervisor=me, parts=parts).to_json())
    assert environment.status().state == "stopped"
    assert not environment.down(DownOptions(), ignore).was_running
    write_json(environment.folder.record, stale._replace(supervisor=me, parts=parts).to_json())
    assert not environments.up(environment).already_running
