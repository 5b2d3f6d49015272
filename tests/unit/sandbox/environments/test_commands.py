"""The commands about environments, as typed, where nothing has to run for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sandbox.cli.app import main
from sandbox.cli.commands.environment_options import show_age, show_bytes
from sandbox.config.locations import StateFolder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stopped() -> StateFolder:
    folder = StateFolder.of("default")
    folder.orchestrator.mkdir(parents=True)
    folder.database.write_bytes(b"x" * 2048)
    folder.logs.mkdir()
    return folder


def test_status_of_nothing_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 3
    assert "there is no environment default" in capsys.readouterr().err
    assert main(["--env", "x", "status"]) == 3
    assert "azolla-local --env x up" in capsys.readouterr().err


def test_status_of_a_stopped_one_is_unreachable(stopped: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 6
    out = capsys.readouterr().out
    assert out.startswith("default  stopped\n")
    assert "2.0 KiB" in out
    assert main(["status", "--json"]) == 6
    assert json.loads(capsys.readouterr().out)["state_folder"] == str(stopped.path)


@pytest.mark.usefixtures("stopped")
def test_status_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--all"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("default\tstopped\t-\t")
    assert main(["status", "--all", "-q"]) == 0
    assert capsys.readouterr().out == "default\n"
    assert main(["status", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "default"


def test_status_of_all_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--all"]) == 0
    assert "there is no environment yet" in capsys.readouterr().err


def test_a_name_that_no_environment_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("up", "down", "status", "doctor"):
        assert main(["--env", "No/way", command]) == 2
        assert "an environment can't have that name (No/way)" in capsys.readouterr().err


def test_down_of_nothing_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "default wasn't running\n"
    assert main(["down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["was_running"] is False


def test_reset_asks_and_does_nothing_where_nobody_can_answer(
    stopped: StateFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reset", "logs"]) == 2
    assert "azolla-local reset logs --yes" in capsys.readouterr().err
    assert stopped.logs.exists()


def test_reset_with_yes(stopped: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reset", "tasks", "--yes"]) == 0
    assert "2.0 KiB" in capsys.readouterr().out
    assert not stopped.orchestrator.exists()
    assert stopped.logs.exists()
    assert main(["reset", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["deleted"] == "all"
    assert main(["reset", "--yes"]) == 3


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_reset_does_as_answered(stopped: StateFolder, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: answer == "y")
    assert main(["reset", "logs"]) == code
    assert stopped.logs.exists() == (answer == "n")


def test_config_show_with_origins(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "azolla.toml").write_text("[orchestrator]\nlease = '1m'\n[domains.billing]\n")
    assert main(["config", "show", "--origin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f'orchestrator.lease = "1m"   # {here / "azolla.toml"}:2' in lines
    assert 'orchestrator.host = "127.0.0.1"   # default' in lines
    assert f"domains.billing = {{}}   # {here / 'azolla.toml'}:3" in lines
    assert main(["config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["orchestrator.lease"] == "1m"


def test_config_check_and_path(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "path"]) == 1
    assert main(["config", "check"]) == 0
    (here / "azolla.toml").write_text("[orchestrator]\nleese = 1\n[logs]\ntemplate = '{nix}'\n")
    capsys.readouterr()
    assert main(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{here / 'azolla.toml'}\n"
    assert main(["config", "check"]) == 2
    err = capsys.readouterr().err
    assert "azolla.toml:2: orchestrator.leese: no such setting; did you mean lease?" in err
    assert "azolla.toml:4: logs.template: " in err


@pytest.mark.usefixtures("stopped")
def test_a_bad_configuration_stops_up_at_the_door(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "azolla.toml").write_text("[logs]\ntemplate = '{nix}-{task_id}'\n")
    assert main(["up"]) == 2
    assert "the configuration has a mistake" in capsys.readouterr().err
    assert main(["up", "--config", "gone.toml"]) == 2
    (here / "azolla.toml").unlink()
    assert main(["up", "--tasks", "gone"]) == 2
    assert "--tasks: tasks.folders: no folder " in capsys.readouterr().err
    assert not StateFolder.of("default").plan.exists()


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("check\tstate\tfound\tenables\thow\npython\tok\t")
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True


def test_sizes_and_ages() -> None:
    shown = [show_bytes(size) for size in (None, 0, 1023, 1024, 10 * 1024**2, 5 * 1024**4)]
    assert shown == ["-", "0 B", "1023 B", "1.0 KiB", "10 MiB", "5120 GiB"]
    assert [show_age(seconds) for seconds in (None, 0, 61, 3600, 90061)] == ["-", "0s", "1m 1s", "1h 0m", "1d 1h"]
