"""Where settings come from, and how every mistake is told at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.config.locations import CONFIG_VARIABLE
from sandbox.config.sources import Configuration, load
from sandbox.errors import BadConfig


def write(folder: Path, text: str) -> Path:
    path = folder / "azolla.toml"
    path.write_text(text)
    return path


def problems(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    file = write(tmp_path, text)
    with pytest.raises(BadConfig) as caught:
        load(file=file, environ=environ or {}, working_folder=tmp_path)
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{file}") for line in caught.value.problems]


def test_without_anything_the_defaults_count(tmp_path: Path) -> None:
    found = load(file=None, environ={"PATH": "/bin"}, working_folder=tmp_path)
    assert found.settings.orchestrator.http_port == 52711
    assert found.settings.shepherd.places >= 4
    assert found.task_folders() == []
    assert str(found.origin(("orchestrator", "http_port"))) == "default"


def test_the_file_is_weaker_than_variables_and_these_than_flags(tmp_path: Path) -> None:
    file = write(tmp_path, "[orchestrator]\ngrpc_port = 1\nhttp_port = 2\nlease = '20s'\n")
    found = load(
        file=file,
        environ={"AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT": "11", "AZOLLA_LOCAL_ORCHESTRATOR_HTTP_PORT": "12"},
        flags={("orchestrator", "http_port"): ("--http-port", 22), ("tasks", "folders"): ("--tasks", None)},
    )
    settings = found.settings.orchestrator
    assert (settings.grpc_port, settings.http_port, settings.lease) == (11, 22, timedelta(seconds=20))
    origins = [str(found.origin(("orchestrator", key))) for key in ("grpc_port", "http_port", "lease", "host")]
    assert origins == ["AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT", "--http-port", f"{file}:4", "default"]


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[orchestrator]
grpc_prot = 1
http_port = "many"
durability = "some"

[shepherd]
grace = "soon"

[[logs.sinks]]
name = "a"
"""
    assert problems(tmp_path, text, {"AZOLLA_LOCAL_LOGS_TEMPLAT": "x"}) == [
        "AZOLLA_LOCAL_LOGS_TEMPLAT: no setting has that variable; did you mean AZOLLA_LOCAL_LOGS_TEMPLATE?",
        ":2: orchestrator.grpc_prot: no such setting; did you mean grpc_port?",
        ":3: orchestrator.http_port: expected a whole number",
        ":4: orchestrator.durability: expected 'full', 'normal' or 'async'",
        ":7: shepherd.grace: expected a duration such as 500ms, 10s, 2m or 1h",
        ":9: logs.sinks.0.url: is missing",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[orchestratr]\n", ":1: orchestratr: no such setting; did you mean orchestrator?"),
        ("lease = 3\n", ":1: lease: no such setting; did you mean orchestrator.lease?"),
        ("[shepherd]\nlease = 3\n", ":2: shepherd.lease: no such setting; did you mean orchestrator.lease?"),
        ("[shepherd]\ngrace = -1\n", ":2: shepherd.grace: a duration can't be negative"),
        ("[shepherd]\ngrace = true\n", ":2: shepherd.grace: expected a duration such as 10s or 2m"),
        ("[orchestrator]\nhost = 'example'\n", "expected an address of this machine, such as 127.0.0.1"),
        ("[orchestrator]\nhost = '::1'\n", "the loopback of IPv6 isn't served"),
        ("[orchestrator]\nhost = '0.0.0.0'\n", "only loopback addresses are served: nothing is encrypted"),
        ("[orchestrator]\nlease = 3\n", "lease must be at least twice as long as heartbeat"),
        ("[orchestrator]\ngrpc_port = 7\nhttp_port = 7\n", "grpc_port and http_port are the same"),
        ("[orchestrator]\ngrpc_port = 70000\n", "expected less than or equal to 65535"),
        ("[logs]\ntemplate = '{dat}-{task_id}'\n", "did you mean {date}?"),
        ("[logs]\ntemplate = '{date}'\n", ":2: logs.template: "),
        ("[[logs.sinks]]\nname = 'x'\nurl = 'ftp://y'\n", "no such kind of sink; known are file:, stdout:"),
        ("[[logs.sinks]]\nname = 'local'\nurl = 'stdout:'\n", "two sinks are called local"),
        ("[domains.a]\nlimit = 3\n", ":2: domains.a.limit: no such setting"),
        ("[tasks]\nfolders = ['gone']\n", ":2: tasks.folders: no folder "),
        ("a = = b\n", ": not TOML: "),
    ],
)
def test_a_mistake_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert problem in found


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "azolla.toml"
    binary.write_bytes(b"\xff\xfe")
    for path, problem in ((binary, "not text in UTF-8"), (tmp_path / "gone", "No such file"), (tmp_path, "directory")):
        with pytest.raises(BadConfig, match=problem):
            load(file=path, environ={})


def test_lists_and_tables_in_variables(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    found = load(
        file=None,
        environ={
            "AZOLLA_LOCAL_TASKS_FOLDERS": f"a:{tmp_path / 'b'}",
            "AZOLLA_LOCAL_SHEPHERD_LABELS": "disk=fast, zone=a",
            "AZOLLA_LOCAL_SHEPHERD_SECRETS_ENV": "TOKEN,KEY",
            "AZOLLA_LOCAL_LOGS_SINKS": "console=stdout:",
        },
        working_folder=tmp_path,
    )
    assert found.task_folders() == [tmp_path / "a", tmp_path / "b"]
    assert found.settings.shepherd.labels == {"disk": "fast", "zone": "a"}
    assert found.settings.shepherd.secrets_env == ["TOKEN", "KEY"]
    assert [(sink.name, sink.url) for sink in found.settings.logs.sinks] == [("console", "stdout:")]


def test_variables_that_choose_are_no_settings() -> None:
    names = ("AZOLLA_LOCAL_ENV", CONFIG_VARIABLE, "AZOLLA_LOCAL_URL", "AZOLLA_LOCAL_GRPC", "AZOLLA_LOCAL_SUPERVISED")
    assert load(file=None, environ=dict.fromkeys(names, "x"))


class TestTaskFolders:
    def made(self, tmp_path: Path, text: str, *, here: str = "work") -> Configuration:
        for name in ("project/tasks", "project/other", "work"):
            (tmp_path / name).mkdir(parents=True)
        return load(file=write(tmp_path / "project", text), environ={}, working_folder=tmp_path / here)

    def test_relative_ones_of_the_file_start_at_the_file(self, tmp_path: Path) -> None:
        assert self.made(tmp_path, "[tasks]\nfolders = ['other']\n").task_folders() == [tmp_path / "project/other"]

    def test_without_any_the_folder_beside_the_file_counts(self, tmp_path: Path) -> None:
        assert self.made(tmp_path, "").task_folders() == [tmp_path / "project/tasks"]

    def test_then_that_in_the_working_folder(self, tmp_path: Path) -> None:
        (tmp_path / "tasks").mkdir()
        assert load(file=None, environ={}, working_folder=tmp_path).task_folders() == [tmp_path / "tasks"]
