"""The checks, each on a machine that lacks it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.config.locations import StateFolder
from sandbox.environments.doctor import engine_checks, host_checks
from sandbox.environments.doctor.check import Finding, State, output_of, run_checks
from sandbox.environments.doctor.report import Report, examine
from tests.support.services import Needs


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def folder() -> StateFolder:
    return StateFolder.of("default")


def finding(*, state: State, required: bool = False, name: str = "x") -> Finding:
    return Finding(name=name, state=state, found="", enables="", required=required)


def test_a_whole_examination_changes_nothing_and_has_every_check(folder: StateFolder) -> None:
    report = examine(folder, host="127.0.0.1", ports=(0, 0))
    names = "python sqlite,state folder,disk,ports,clock,open files,cgroups,user namespaces,bubblewrap,uv,docker engine"
    assert [one.name for one in report.findings] == [*names.replace("python ", "python,").split(","), "docker compose"]
    assert not folder.path.exists()
    assert all(one.how or one.state is State.OK or one.name == "ports" for one in report.findings)
    assert report.healthy
    assert json.loads(json.dumps(report.to_json()))["checks"][0]["state"] == "ok"


def test_only_what_is_required_makes_it_unhealthy() -> None:
    fine = Report([finding(state=State.OK, required=True), finding(state=State.MISSING, name="jail")])
    assert fine.healthy
    assert fine.verdict == "azolla-local runs here; not there or not ideal: jail"
    ill = Report([finding(state=State.MISSING, required=True, name="sqlite"), finding(state=State.WARN, required=True)])
    assert not ill.healthy
    assert ill.verdict == "azolla-local can't run here: sqlite"
    assert Report([finding(state=State.OK)]).verdict == "all is there"


def test_findings_keep_their_order() -> None:
    checks = [lambda name=name: finding(state=State.OK, name=name) for name in "abc"]
    assert [one.name for one in run_checks(checks)] == ["a", "b", "c"]


def test_output_of_programs() -> None:
    assert output_of(["sh", "-c", "echo one; echo two"]) == "one"
    assert output_of(["sh", "-c", "exit 3"]) is None
    assert output_of(["/no/such/program"]) is None
    assert output_of(["sh", "-c", "exec sleep 9"], timeout_s=0.05) is None


@pytest.mark.usefixtures("nothing_installed")
def test_programs_that_are_not_installed() -> None:
    for check in (host_checks.bubblewrap, host_checks.uv, engine_checks.compose):
        found = check()
        assert found.state is State.MISSING
        assert "install" in found.how


def test_a_port_of_someone_else_is_a_warning(folder: StateFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = host_checks.ports("127.0.0.1", (port, 0), folder)
    assert found.state is State.WARN
    assert f"process {os.getpid()}" in found.found
    assert host_checks.ports("127.0.0.1", (port, 0), folder).state is State.OK


def test_a_state_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, folder: StateFolder) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = host_checks.state_folder(folder)
    assert found.fatal
    assert "XDG_STATE_HOME" in found.how


def test_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch, folder: StateFolder) -> None:
    for free, state in ((0, State.MISSING), (500 * 1024**2, State.WARN), (5 * 1024**3, State.OK)):
        monkeypatch.setattr(
            host_checks.shutil, "disk_usage", lambda _path, free=free: type("Usage", (), {"free": free})
        )
        assert host_checks.disk(folder).state is state


def test_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_checks.resource, "getrlimit", lambda _what: (256, 4096))
    found = host_checks.open_files()
    assert (found.state, found.found) == (State.WARN, "256 (up to 4096)")


def test_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_checks.time, "time_ns", lambda: 0)
    assert host_checks.clock().state is State.WARN


def test_an_old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, fatal in (("3.37.2", True), ("3.40.1", False), (None, True)):
        monkeypatch.setattr(host_checks, "output_of", lambda _command, version=version: version)
        assert host_checks.sqlite().fatal is fatal


class TestCgroups:
    def own(self, tmp_path: Path, text: str) -> Path:
        path = tmp_path / "own"
        path.write_text(text)
        return path

    def test_version_2(self, tmp_path: Path) -> None:
        root = tmp_path / "cgroup"
        (root / "user.slice").mkdir(parents=True)
        (root / "cgroup.controllers").write_text("cpu memory pids")
        found = host_checks.cgroups(root, self.own(tmp_path, "0::/user.slice\n"))
        assert (found.state, found.found) == (State.OK, "v2, writable")

    def test_version_1_in_a_container(self, tmp_path: Path) -> None:
        root = tmp_path / "cgroup"
        for name in ("memory", "pids", "cpu"):
            (root / name).mkdir(parents=True)
        found = host_checks.cgroups(root, self.own(tmp_path, "5:memory:/docker/x\n4:pids:/docker/x\n3:cpu,cpuacct:/\n"))
        assert (found.state, found.found) == (State.OK, "v1, writable")

    def test_not_writable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        root = tmp_path / "cgroup"
        root.mkdir()
        (root / "cgroup.controllers").touch()
        monkeypatch.setattr(os, "access", lambda *_: False)
        found = host_checks.cgroups(root, self.own(tmp_path, "0::/\n"))
        assert (found.state, found.found) == (State.WARN, "v2, not writable")

    def test_none(self, tmp_path: Path) -> None:
        assert host_checks.cgroups(tmp_path, tmp_path / "absent").state is State.MISSING
        assert host_checks.cgroups(tmp_path, self.own(tmp_path, "")).found == "none"


class TestEngine:
    def context(self, home: Path, name: str, host: str) -> None:
        import hashlib

        folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
        (folder / "meta.json").write_text(json.dumps(meta))

    def test_docker_host_counts_before_contexts(self) -> None:
        endpoint = engine_checks.find_endpoint({"DOCKER_HOST": "unix:///x", "DOCKER_CONTEXT": "y"})
        assert (endpoint.host, endpoint.source) == ("unix:///x", "DOCKER_HOST")

    def test_the_context_that_is_in_use(self, isolated: Path) -> None:
        self.context(isolated, "mine", "unix:///mine.sock")
        (isolated / ".docker" / "config.json").write_text(json.dumps({"currentContext": "mine"}))
        endpoint = engine_checks.find_endpoint({})
        assert (endpoint.host, endpoint.source) == ("unix:///mine.sock", "context mine")

    def test_the_context_of_the_variable(self, isolated: Path) -> None:
        self.context(isolated, "other", "tcp://127.0.0.1:1")
        assert engine_checks.find_endpoint({"DOCKER_CONTEXT": "other"}).host == "tcp://127.0.0.1:1"

    def test_a_context_that_does_not_exist(self) -> None:
        found = engine_checks.engine({"DOCKER_CONTEXT": "gone"})
        assert found.state is State.MISSING
        assert "context gone" in found.found

    def test_no_socket(self, tmp_path: Path) -> None:
        found = engine_checks.engine({"DOCKER_HOST": f"unix://{tmp_path}/gone.sock"})
        assert found.state is State.MISSING
        assert found.found == f"nothing at unix://{tmp_path}/gone.sock (DOCKER_HOST)"

    def test_a_socket_of_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "d.sock"
        path.touch()
        monkeypatch.setattr(os, "access", lambda *_: False)
        found = engine_checks.engine({"DOCKER_HOST": f"unix://{path}"})
        assert "may not be used by you" in found.found
        assert "usermod -aG docker" in found.how

    def test_nothing_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        found = engine_checks.engine({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"})
        assert found.state is State.MISSING
        assert "doesn't answer" in found.found

    def test_an_engine_on_another_machine_is_not_asked(self) -> None:
        found = engine_checks.engine({"DOCKER_HOST": "ssh://somewhere"})
        assert found.state is State.WARN
        assert "not asked" in found.found

    @pytest.mark.real
    def test_a_real_engine(self, needs: Needs, isolated: Path) -> None:
        value = needs("AZOLLA_TEST_DOCKER")
        host = (
            value if "://" in value else f"unix://{value}" if value.startswith("/") else "unix:///var/run/docker.sock"
        )
        version = subprocess.run(
            ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        found = engine_checks.engine({"DOCKER_HOST": host})
        assert found.state is State.OK, found
        assert found.found.startswith(f"{version} (API ")
        self.context(isolated, "real", host)
        assert engine_checks.engine({"DOCKER_CONTEXT": "real"}).state is State.OK
