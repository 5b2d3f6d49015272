"""The small pieces under the supervisor: words, ports, locks, records."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sandbox.config.locations import StateFolder
from sandbox.config.sources import load
from sandbox.environments.embedded import ports
from sandbox.environments.embedded.failures import last_words, part_failed
from sandbox.environments.embedded.record import LastExit, PartRecord, read_record, write_json
from sandbox.environments.embedded.rendering import differences, local_sink_url
from sandbox.environments.lifecycle import command_lock, delete, prepare_folder
from sandbox.errors import EnvironmentBusy, InvalidInput, PortTaken, StartFailed, StoreReadOnly


class TestWords:
    def test_an_error_of_a_part_keeps_its_kind_and_words(self) -> None:
        lines = ("noise", "error: bad (x)", "  because a", "  because b", "  try: c", "noise")
        part = PartRecord(None, "failed", 0, 0, LastExit(2, None, 0, lines))
        error = part_failed(StateFolder(Path("/s/e")), "shepherd", part)
        assert isinstance(error, InvalidInput)
        assert (error.what, error.why, error.hint) == ("the shepherd didn't start: bad (x)", "a\nb", "c")

    def test_without_words_the_log_is_shown(self) -> None:
        part = PartRecord(None, "waiting", 0, 3, LastExit(None, 11, 0, ()))
        error = part_failed(StateFolder(Path("/s/e")), "shepherd", part)
        assert isinstance(error, StartFailed)
        assert (error.what, error.why) == ("the shepherd was killed by signal 11", "it wrote nothing before")
        assert error.hint == "all of it is in /s/e/shepherd.log"
        assert last_words(LastExit(1, None, 0, ("a", "b"))) == "ended with exit code 1: b"
        assert last_words(LastExit(None, None, 0, ())) == "ended"

    def test_differences(self) -> None:
        running = {"tasks": [], "lease_s": 1.0, "grpc": "a", "sinks": [{"name": "a", "url": "b"}]}
        wanted = {"tasks": ["/x", "/y"], "lease_s": 2.0, "grpc": "b", "sinks": []}
        assert differences(running, wanted, names={"tasks": "task folders"}) == [
            "lease: 1.0 runs, 2.0 is wanted now",
            "sinks: a b runs, none is wanted now",
            "task folders: none runs, /x, /y is wanted now",
        ]

    def test_the_url_of_the_local_sink_survives_odd_names(self) -> None:
        from urllib.parse import parse_qs, unquote, urlsplit

        parts = urlsplit(local_sink_url(Path("/a b/c?d#e"), "{date}/x y&z-{task_id}"))
        assert unquote(parts.path) == "/a b/c?d#e"
        assert parse_qs(parts.query) == {"template": ["{date}/x y&z-{task_id}"]}


class TestPorts:
    def test_two_free_ones_differ_and_the_last_are_kept(self, tmp_path: Path) -> None:
        flags = {("orchestrator", f"{door}_port"): ("f", 0) for door in ("grpc", "http")}
        configuration = load(file=None, environ={}, flags=flags, working_folder=tmp_path)
        first = ports.choose_ports(configuration, "a")
        assert first.automatic
        assert first.grpc != first.http
        assert ports.choose_ports(configuration, "a", before=(first.grpc, first.http)) == first

    def test_a_default_port_of_another_environment_gives_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        free = ports.is_free
        monkeypatch.setattr(ports, "is_free", lambda host, port: port not in {52710, 52711} and free(host, port))
        monkeypatch.setattr(ports, "environment_at", lambda _port, **_: "first")
        chosen = ports.choose_ports(load(file=None, environ={}, working_folder=tmp_path), "second")
        assert chosen.notes == (
            "port 52710 is used by the environment first, so grpc has another one",
            "port 52711 is used by the environment first, so http has another one",
        )
        assert not {chosen.grpc, chosen.http} & {"127.0.0.1:52710", "127.0.0.1:52711"}
        named = load(file=None, environ={"AZOLLA_LOCAL_ORCHESTRATOR_GRPC_PORT": "52710"}, working_folder=tmp_path)
        with pytest.raises(PortTaken, match="the environment first of azolla-local uses it"):
            ports.choose_ports(named, "second")
        monkeypatch.setattr(ports, "environment_at", lambda _port, **_: None)
        with pytest.raises(PortTaken):
            ports.choose_ports(load(file=None, environ={}, working_folder=tmp_path), "second")

    def test_an_owner_that_the_system_does_not_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import psutil

        def refuse(_kind: str) -> list[object]:
            raise psutil.AccessDenied

        monkeypatch.setattr(psutil, "net_connections", refuse)
        assert ports.owner_of(1) == "the system doesn't tell which process listens there"

    def test_an_owner_of_another_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import psutil

        class Listening:
            status, pid = psutil.CONN_LISTEN, None
            laddr = type("Address", (), {"port": 1})

        monkeypatch.setattr(psutil, "net_connections", lambda _kind: [Listening])
        assert "a process of another user" in ports.owner_of(1)
        assert "no process listens there" in ports.owner_of(2)


class TestLock:
    def test_it_waits_for_the_other_command(self) -> None:
        folder, said, order = StateFolder.of("x"), list[str](), list[int]()
        waiting = threading.Event()

        def say(text: str) -> None:
            said.append(text)
            waiting.set()

        def second() -> None:
            with command_lock(folder, timeout_s=10, say=say):
                order.append(2)

        thread = threading.Thread(target=second)
        with command_lock(folder, timeout_s=1, say=say):
            thread.start()
            assert waiting.wait(10)
            order.append(1)
        thread.join(10)
        assert order == [1, 2]
        assert said == ["waiting for another command that changes this environment"]

    def test_it_gives_up(self) -> None:
        folder = StateFolder.of("x")
        with command_lock(folder, timeout_s=1, say=print), pytest.raises(EnvironmentBusy) as caught:
            with command_lock(folder, timeout_s=0, say=print):
                pass
        assert caught.value.exit_code == 5

    def test_a_deleted_folder_is_made_again(self) -> None:
        folder = StateFolder.of("x")
        with command_lock(folder, timeout_s=1, say=print):
            delete([folder.path])
            with command_lock(folder, timeout_s=1, say=print):
                assert folder.command_lock.exists()


def test_the_state_folder_is_for_its_owner_alone() -> None:
    folder = StateFolder.of("x")
    prepare_folder(folder)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert list(folder.path.iterdir()) == []


def test_a_file_in_place_of_the_state_folder() -> None:
    folder = StateFolder.of("x")
    folder.path.parent.mkdir(parents=True)
    folder.path.touch()
    with pytest.raises(StoreReadOnly):
        prepare_folder(folder)


def test_a_record_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "environment.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_record(path) is None


def test_the_supervisor_needs_only_the_standard_library() -> None:
    code = (
        "import sys; import sandbox.environments.embedded.supervisor\n"
        "ours = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(name for name in ours if name.isidentifier() and not name.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    found = set(done.stdout.strip()[1:-1].replace("'", "").split(", "))
    # What .pth files of an installation import by themselves isn't ours.
    assert found - {"coverage", "distutils-precedence"} == {"sandbox"}
