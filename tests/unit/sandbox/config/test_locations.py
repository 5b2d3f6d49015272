from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.config import locations
from sandbox.config.locations import StateFolder, check_environment_name, environment_name, find_config_file, state_root
from sandbox.errors import InvalidInput


@pytest.mark.parametrize("name", ["a", "default", "9-lives", "a" * 31])
def test_names_of_environments(name: str) -> None:
    assert check_environment_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a/b", "..", "a" * 32, "ä", "a\n", "crash reports"])
def test_names_that_no_environment_has(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_environment_name(name)
    assert caught.value.exit_code == 2


def test_which_environment_is_meant() -> None:
    assert environment_name("given", {"AZOLLA_LOCAL_ENV": "variable"}) == "given"
    assert environment_name(None, {"AZOLLA_LOCAL_ENV": "variable"}) == "variable"
    assert environment_name(None, {}) == "default"


def test_where_state_lies() -> None:
    assert state_root({"XDG_STATE_HOME": "/state"}) == Path("/state/azolla-local")
    assert state_root({"XDG_STATE_HOME": "relative", "HOME": "/home/me"}) == Path("/home/me/.local/state/azolla-local")


def test_environments_are_those_that_were_started(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert StateFolder.all(environ) == []
    for name in ("b", "a", "empty", "crashes", ".deleted-1-c"):
        StateFolder(state_root(environ) / name).path.mkdir(parents=True)
    for name in ("b", "a", ".deleted-1-c"):
        (state_root(environ) / name / "supervisor.json").write_text("{}")
    assert [folder.name for folder in StateFolder.all(environ)] == ["a", "b"]


class TestConfigFile:
    def test_in_the_folder_or_above(self, tmp_path: Path) -> None:
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        assert find_config_file(below, {"HOME": str(tmp_path)}) is None
        (tmp_path / "azolla.toml").touch()
        assert find_config_file(below, {}) == tmp_path / "azolla.toml"
        (below / "azolla.toml").touch()
        assert find_config_file(below, {}) == below / "azolla.toml"

    def test_above_only_if_it_is_ours(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        below = tmp_path / "a"
        below.mkdir()
        (tmp_path / "azolla.toml").touch()
        monkeypatch.setattr(locations, "_is_trusted", lambda _path: False)
        assert find_config_file(below, {"HOME": str(tmp_path)}) is None
        assert find_config_file(tmp_path, {}) == tmp_path / "azolla.toml"

    def test_that_of_the_user(self, tmp_path: Path) -> None:
        personal = tmp_path / "config" / "azolla-local" / "azolla.toml"
        personal.parent.mkdir(parents=True)
        personal.touch()
        assert find_config_file(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "config")}) == personal

    def test_a_named_one_counts_even_if_it_is_not_there(self, tmp_path: Path) -> None:
        assert find_config_file(tmp_path, {"AZOLLA_LOCAL_CONFIG": "x.toml"}) == tmp_path / "x.toml"
