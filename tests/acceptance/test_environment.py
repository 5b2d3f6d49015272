"""Environments as typed by a user: started, stopped, half-started, in each other's way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sandbox.environments.embedded.doors import wait_until
from tests.support.environments import PROGRAM, MakeEnvironment, RunningEnvironment

pytestmark = pytest.mark.slow

DEFAULT_PORTS = {"AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT": "", "AZOLLA_LOCAL_ORCHESTRATOR_HTTP_PORT": ""}


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    assert wait_until(condition, changes=None, deadline=time.monotonic() + seconds, look=lambda: None)


def processes_of(environment: RunningEnvironment) -> list[str]:
    """Everything that carries the state folder on its command line."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any(str(environment.home) in word for word in words) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(" ".join(words))
    return found


def status(environment: RunningEnvironment) -> dict[str, object]:
    return json.loads(environment.cli("status", "--json").stdout)


def test_up_status_down(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False)
    up = environment.cli("up")
    assert up.returncode == 0, up.stderr
    assert up.stdout.startswith("up  test, ready after ")
    assert "  http   http://127.0.0.1:" in up.stdout
    assert "azolla-local --env test down" in up.stdout
    shown = environment.cli("status")
    assert shown.returncode == 0
    assert shown.stdout.startswith("test  running\n")
    assert "1 connected" in shown.stdout
    down = environment.cli("down")
    assert down.returncode == 0
    assert down.stdout.startswith("down  test, after ")
    assert processes_of(environment) == []
    assert environment.cli("status").returncode == 6
    assert environment.cli("ls").returncode == 6


def test_a_second_up_is_harmless(environment: RunningEnvironment) -> None:
    before = environment.record()
    again = environment.cli("up")
    assert again.returncode == 0
    assert again.stdout.startswith("already up  test\n")
    assert environment.record() == before


def test_two_ups_at_the_same_time_make_one_environment(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False)
    both = [
        subprocess.Popen(
            [str(PROGRAM), "up", "--json"],
            env=environment.variables,
            stdout=subprocess.PIPE,
            text=True,
            cwd=environment.home,
        )
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(answer["already_running"] for answer in answers) == [False, True]
    assert len({answer["http"] for answer in answers}) == 1


def test_after_a_crash_of_everything_up_starts_again(environment: RunningEnvironment) -> None:
    record = environment.record()
    for pid in (record["supervisor"][0], *(part["process"][0] for part in record["parts"].values())):
        os.kill(pid, signal.SIGKILL)
    until(lambda: status(environment)["state"] == "stopped")
    again = environment.must("up")
    assert again.startswith("up  test")
    assert status(environment)["problems"] == []


def test_a_killed_supervisor_is_replaced_and_nothing_else(environment: RunningEnvironment) -> None:
    before = environment.record()
    os.kill(before["supervisor"][0], signal.SIGKILL)
    until(lambda: status(environment)["state"] == "degraded")
    assert "azolla-local --env test up mends it" in environment.cli("status").stdout
    environment.must("up")
    after = environment.record()
    assert {name: part["process"] for name, part in after["parts"].items()} == {
        name: part["process"] for name, part in before["parts"].items()
    }
    assert after["supervisor"] != before["supervisor"]


@pytest.mark.parametrize("part", ["orchestrator", "shepherd"])
def test_a_killed_part_comes_back(environment: RunningEnvironment, part: str) -> None:
    before = environment.pid(part)
    assert environment.kill(part)
    until(lambda: environment.pid(part) not in {None, before} and status(environment)["state"] == "running")
    assert f"the {part} was started again once, last was killed by signal 9" in environment.cli("status").stdout


def test_a_foreign_port_is_named_with_its_owner(environment_with: MakeEnvironment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environment = environment_with(started=False)
        refused = environment.cli("up", "--http-port", port)
    assert refused.returncode == 5
    assert refused.stderr.startswith(f"error: port {port} is taken (127.0.0.1:{port})\n")
    assert f"(process {os.getpid()} of " in refused.stderr
    assert "  try: azolla-local up --http-port 0" in refused.stderr
    assert processes_of(environment) == []


def test_two_environments_side_by_side(environment: RunningEnvironment) -> None:
    port = environment.record()["http"].rpartition(":")[2]
    second = environment.cli("--env", "second", "up", "--http-port", port)
    assert second.returncode == 5
    assert "the environment test of azolla-local uses it" in second.stderr
    environment.must("--env", "second", "up")
    listed = environment.must("status", "--all", "--json").splitlines()
    assert [(one["name"], one["state"]) for one in map(json.loads, listed)] == [
        ("second", "running"),
        ("test", "running"),
    ]
    environment.must("down")
    assert json.loads(environment.must("--env", "second", "status", "--json"))["state"] == "running"
    environment.must("--env", "second", "down", "--volumes")
    assert environment.must("status", "--all", "-q").splitlines() == ["test"]


@pytest.mark.parametrize("place", ["/proc/self", "file"])
def test_a_state_folder_that_cannot_be_written(environment_with: MakeEnvironment, place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file") if place == "file" else place
    environment = environment_with(started=False)
    refused = subprocess.run(
        [str(PROGRAM), "up"],
        env={**environment.variables, "XDG_STATE_HOME": folder},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert refused.returncode == 7
    assert "the state of the environment can't be written" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_second_orchestrator_on_the_same_state_is_refused(environment: RunningEnvironment, tmp_path: Path) -> None:
    config = environment.config("orchestrator")
    config |= {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"}
    path = tmp_path / "second.json"
    path.write_text(json.dumps(config))
    refused = subprocess.run(
        [sys.executable, "-m", "sandbox.orchestrator", "--config", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert refused.returncode == 5
    assert refused.stderr.count("error: ") == 1
    assert "Traceback" not in refused.stderr
    assert status(environment)["state"] == "running"


def test_a_database_that_is_not_ours_is_refused_and_left_alone(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False)
    database = environment.state / "orchestrator" / "azolla.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database, and precious")
    refused = environment.cli("up")
    assert refused.returncode == 7
    assert refused.stderr.startswith("error: the orchestrator didn't start: ")
    assert "\n  try: " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert database.read_bytes() == b"this is no database, and precious"
    assert processes_of(environment) == []


def test_a_template_with_an_unknown_field_is_refused_before_anything_starts(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False, settings={"AZOLLA_LOCAL_LOGS_TEMPLATE": "{nix}-{task_id}"})
    refused = environment.cli("up")
    assert refused.returncode == 2
    assert "AZOLLA_LOCAL_LOGS_TEMPLATE" in refused.stderr
    assert not environment.state.exists()


def test_no_wait_and_restart(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False)
    assert json.loads(environment.must("up", "--no-wait", "--json"))["ready"] is False
    assert environment.must("up").startswith("already up")
    before = environment.pid("orchestrator")
    (environment.home / "more").mkdir()
    told = environment.cli("up", "--tasks", str(environment.home / "more"))
    assert "up --restart applies it" in told.stdout
    assert environment.pid("orchestrator") == before
    report = json.loads(environment.must("up", "--restart", "--json", "--tasks", str(environment.home / "more")))
    assert report["tasks"] == [str(environment.home / "more")]
    assert environment.pid("orchestrator") != before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_ends_with_the_command(environment_with: MakeEnvironment, number: signal.Signals) -> None:
    environment = environment_with(started=False)
    with subprocess.Popen(
        [str(PROGRAM), "up", "--foreground"],
        env=environment.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=environment.home,
    ) as up:
        assert up.stdout is not None
        assert any("Ctrl-C stops it." in line for line in up.stdout)
        up.send_signal(number)
        assert up.wait(30) == 0
    assert processes_of(environment) == []


def test_in_the_foreground_it_ends_even_if_the_command_is_killed(environment_with: MakeEnvironment) -> None:
    environment = environment_with(started=False)
    with subprocess.Popen(
        [str(PROGRAM), "up", "--foreground", "-q"],
        env=environment.variables,
        stdout=subprocess.PIPE,
        text=True,
        cwd=environment.home,
    ) as up:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("http://")
        up.kill()
    until(lambda: processes_of(environment) == [])


def test_down_now_leaves_no_task_behind(environment_with: MakeEnvironment, tmp_path: Path) -> None:
    script = tmp_path / "long.task"
    script.write_text("[Task]\nName=long\n[Command]\nCommand=/bin/sleep\nArgs=300\n")
    environment = environment_with(tasks=tmp_path, started=False)
    environment.must("up")
    submitted = environment.cli("submit", "long")
    assert submitted.returncode == 0, submitted.stderr
    until(lambda: bool(status(environment)["tasks"].get("running")))  # type: ignore[attr-defined]
    environment.must("down", "--now")
    assert processes_of(environment) == []
    # A zombie has no command line any more: it is over, and only waits to be collected.
    assert not [
        one.pid for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-2:] == ["/bin/sleep", "300"]
    ]


def test_reset_deletes_only_after_yes(environment: RunningEnvironment) -> None:
    refused = environment.cli("reset", stdin="y\n")
    assert refused.returncode == 2
    assert status(environment)["state"] == "running"
    environment.must("reset", "tasks", "--yes")
    assert not (environment.state / "orchestrator").exists()
    assert processes_of(environment) == []
    environment.must("up")
    assert status(environment)["tasks"] in ({}, dict.fromkeys(status(environment)["tasks"], 0))  # type: ignore[arg-type]
