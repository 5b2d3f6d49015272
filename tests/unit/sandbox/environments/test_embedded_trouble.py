"""Embedded environments that were left half-started, or that meet others."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from sandbox.config.locations import StateFolder
from sandbox.environments.contract import DownOptions, UpOptions
from sandbox.environments.embedded.environment import EmbeddedEnvironment
from sandbox.environments.embedded.processes import remaining, wait_for_end
from sandbox.errors import Conflict, PortTaken, StartFailed, StoreReadOnly
from tests.support.fake_environment import (
    FREE,
    FakeEnvironments,
    commands,
    ignore,
    mark_of,
    nothing_runs,
    record_of,
    until,
)


def test_what_a_killed_supervisor_left_is_taken_over(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    before = record_of(environment)
    before.supervisor.send(signal.SIGKILL)
    assert wait_for_end(before.supervisor, 10)
    status = environment.status()
    assert status.state == "degraded"
    assert "its supervisor was killed" in status.problems[0]
    report = environments.up(environments.make())
    assert not report.already_running
    assert report.notes == ("its supervisor had ended; a new one took over what still ran",)
    after = record_of(environment)
    assert {name: part.process for name, part in after.parts.items()} == {
        name: part.process for name, part in before.parts.items()
    }
    mark_of(environment, "shepherd").send(signal.SIGKILL)
    until(lambda: record_of(environment).parts["shepherd"].restarts == 1)
    environment.down(DownOptions(), ignore)
    assert nothing_runs(environment)


def test_what_a_killed_supervisor_left_is_replaced_if_something_changed(
    environments: FakeEnvironments, tmp_path: Path
) -> None:
    environment = environments.make()
    environments.up(environment)
    before = record_of(environment)
    before.supervisor.send(signal.SIGKILL)
    assert wait_for_end(before.supervisor, 10)
    environments.up(environments.make(flags={**FREE, ("tasks", "folders"): ("--tasks", [tmp_path])}))
    assert not before.running_parts()


def test_down_ends_what_a_killed_supervisor_left(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    supervisor = record_of(environment).supervisor
    supervisor.send(signal.SIGKILL)
    assert wait_for_end(supervisor, 10)
    assert environment.down(DownOptions(), ignore).was_running
    assert nothing_runs(environment)


@pytest.mark.slow
def test_down_finds_processes_even_without_the_record(environments: FakeEnvironments) -> None:
    environment = environments.make(shepherd="daemon")
    environments.up(environment)
    supervisor = record_of(environment).supervisor
    supervisor.send(signal.SIGKILL)
    assert wait_for_end(supervisor, 10)
    environment.folder.record.unlink()
    assert len(remaining(environment.folder)) == 3
    assert environment.down(DownOptions(), ignore).was_running
    assert nothing_runs(environment)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1, "supervisor": [1, "x"]}'])
def test_a_damaged_record_is_no_record(environments: FakeEnvironments, text: str) -> None:
    environment = environments.make()
    environment.folder.path.mkdir(parents=True)
    environment.folder.record.write_text(text)
    assert not environments.up(environment).already_running


def test_a_port_of_someone_else_is_an_error_that_names_the_owner(environments: FakeEnvironments) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        flags = {**FREE, ("orchestrator", "http_port"): ("--http-port", port)}
        environment = environments.make(flags=flags)
        with pytest.raises(PortTaken) as caught:
            environments.up(environment)
    assert caught.value.exit_code == 5
    assert f"process {os.getpid()} " in caught.value.why
    assert "--http-port 0" in caught.value.hint
    assert nothing_runs(environment)


def test_a_port_of_another_environment_is_named_by_that(environments: FakeEnvironments) -> None:
    first = environments.up(environments.make("first"))
    port = int(first.http.rpartition(":")[2])
    flags = {**FREE, ("orchestrator", "http_port"): ("--http-port", port)}
    with pytest.raises(PortTaken, match="the environment first of azolla-local uses it"):
        environments.up(environments.make("second", flags=flags))


def test_two_environments_side_by_side(environments: FakeEnvironments) -> None:
    one, two = environments.make("one"), environments.make("two")
    assert environments.up(one).http != environments.up(two).http
    one.down(DownOptions(), ignore)
    assert two.status().state == "running"
    assert [folder.name for folder in StateFolder.all()] == ["one", "two"]


def test_free_ports_stay_the_same_after_down_and_up(environments: FakeEnvironments) -> None:
    environment = environments.make()
    first = environments.up(environment)
    environment.down(DownOptions(), ignore)
    again = environments.up(environment)
    assert (again.grpc, again.http) == (first.grpc, first.http)


def test_a_state_folder_that_cannot_be_made(environments: FakeEnvironments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/self")
    with pytest.raises(StoreReadOnly) as caught:
        environments.up(environments.make())
    assert caught.value.exit_code == 7
    monkeypatch.undo()


def test_reset_deletes_what_it_names(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    folder = environment.folder
    for path in (folder.orchestrator, folder.shepherd, folder.logs):
        path.mkdir()
        (path / "file").write_bytes(b"12345")
    assert environment.doomed_bytes("tasks") == 10
    assert environment.reset("tasks", ignore) == 10
    assert not folder.record.exists()
    assert not folder.orchestrator.exists()
    assert folder.logs.exists()
    assert environment.reset("logs", ignore) == 5
    environment.reset("all", ignore)
    assert not folder.path.exists()


def test_up_in_a_folder_of_another_running_supervisor(environments: FakeEnvironments) -> None:
    environment = environments.make()
    environments.up(environment)
    record = record_of(environment)
    environment.folder.record.unlink()
    with pytest.raises(StartFailed, match="the supervisor ended with status 5"):
        environments.up(environments.make())
    assert not record.alive()  # the failed `up` left nothing behind, so that the next one works
    assert not environments.up(environments.make()).already_running


def test_an_environment_without_a_configuration_cannot_start() -> None:
    environment = EmbeddedEnvironment(StateFolder.of("x"), commands=commands())
    with pytest.raises(ValueError, match="configuration"):
        environment.up(UpOptions(), ignore)


def test_conflict_is_tried_again_only_with_ports_of_our_choice(environments: FakeEnvironments) -> None:
    environment = environments.make(orchestrator="fail:5")
    with pytest.raises(Conflict):
        environments.up(environment)
    assert nothing_runs(environment)
