"""A supervised process, and how it is known."""

from __future__ import annotations

import selectors
import signal
import subprocess
from pathlib import Path

import pytest

from sandbox.environments.embedded import part as part_module
from sandbox.environments.embedded import pid_files
from sandbox.environments.embedded.part import LOG_LIMIT_BYTES, Part
from sandbox.environments.embedded.pid_files import ProcessMark
from sandbox.environments.embedded.plan import PartPlan
from sandbox.environments.embedded.processes import stop_processes, wait_for_end
from sandbox.environments.embedded.record import PartRecord


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


class TestMarks:
    def test_a_process_from_birth_to_death(self) -> None:
        with sleeper() as process:
            mark = ProcessMark.of(process.pid)
            assert mark is not None
            assert mark.alive()
            assert ProcessMark.from_json(mark.to_json()) == mark
            assert not wait_for_end(mark, 0.01)
            assert stop_processes([mark], timeout_s=5) == []
            assert not mark.alive()  # a zombie until it is waited for
            assert ProcessMark.of(process.pid) is None
            assert not mark.send(signal.SIGTERM)

    def test_a_pid_in_new_hands_is_never_signalled(self) -> None:
        with sleeper() as process:
            other = ProcessMark(process.pid, "earlier")
            assert not other.alive()
            assert not other.send(signal.SIGKILL)
            assert process.poll() is None
            process.kill()

    def test_without_pidfd(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pid_files, "_has_pidfd", lambda: False)
        with sleeper() as process:
            mark = ProcessMark.of(process.pid)
            assert mark is not None
            assert not wait_for_end(mark, 0.01)
            assert not ProcessMark(process.pid, "earlier").send(signal.SIGKILL)
            assert mark.send(signal.SIGKILL)
            assert wait_for_end(mark, 5)

    def test_elsewhere_than_on_linux(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        ps = tmp_path / "ps"
        ps.write_text("#!/bin/sh\necho 'S  Sat Nov 21 13:00:00 2026'\n")
        ps.chmod(0o755)
        run = subprocess.run
        monkeypatch.setattr(pid_files, "_LINUX", False)
        monkeypatch.setattr(subprocess, "run", lambda words, **options: run([str(ps), *words[1:]], **options))
        assert ProcessMark.of(1) == ProcessMark(1, "Sat Nov 21 13:00:00 2026")

    @pytest.mark.parametrize("value", [None, 1, [], [1], ["1", "x"], [1, 2], [1, "x", 3], {"pid": 1}])
    def test_other_json_is_no_mark(self, value: object) -> None:
        assert ProcessMark.from_json(value) is None


class TestPart:
    def made(self, tmp_path: Path, *command: str) -> Part:
        return Part(PartPlan("x", command, str(tmp_path / "x.log")), tmp_path)

    def ended(self, part: Part) -> PartRecord:
        process = part.record().process
        assert process is None or wait_for_end(process, 10)
        with selectors.DefaultSelector() as selector:
            assert part.collect(selector)
        return part.record()

    def test_the_pause_doubles_up_to_a_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(part_module.time, "monotonic", lambda: now[0])
        part = self.made(tmp_path, "/no/such/program")
        pauses: list[float] = []
        for _ in range(8):
            part.start()
            assert part.due is not None
            pauses.append(round(part.due - now[0], 3))
        assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
        assert part.record().restarts == 8
        last = part.record().last_exit
        assert last is not None
        assert last.lines == ("error: /no/such/program can't be started: No such file or directory",)

    def test_after_ten_healthy_seconds_it_begins_anew(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(part_module.time, "monotonic", lambda: now[0])
        part = self.made(tmp_path, "/bin/sh", "-c", "exit 1")
        for seconds, pause in ((0.0, 0.1), (0.0, 0.2), (10.0, 0.0), (0.0, 0.1)):
            part.start()
            now[0] += seconds
            self.ended(part)
            assert part.due is not None
            assert round(part.due - now[0], 3) == pause

    @pytest.mark.parametrize("code", [5, 7])
    def test_no_exit_is_for_good_once_it_has_run(self, tmp_path: Path, code: int) -> None:
        part = self.made(tmp_path, "/bin/sh", "-c", f"test -e {tmp_path}/second && exit {code}; exit 1")
        part.start()
        self.ended(part)
        (tmp_path / "second").touch()
        part.start()
        self.ended(part)
        assert part.due is not None
        last = part.record().last_exit
        assert last is not None
        assert last.code == code

    @pytest.mark.parametrize("code", [2, 4, 5, 7])
    def test_some_exits_are_for_good(self, tmp_path: Path, code: int) -> None:
        part = self.made(tmp_path, "/bin/sh", "-c", f"echo why >&2; exit {code}")
        part.start()
        record = self.ended(part)
        assert (record.state, part.due, record.restarts) == ("failed", None, 0)
        assert record.last_exit is not None
        assert (record.last_exit.code, record.last_exit.lines) == (code, ("why",))

    def test_only_lines_of_this_life_are_shown(self, tmp_path: Path) -> None:
        (tmp_path / "x.log").write_text("of an earlier life\n")
        part = self.made(tmp_path, "/bin/sh", "-c", "exit 1")
        part.start()
        last = self.ended(part).last_exit
        assert last is not None
        assert last.lines == ()

    def test_a_large_log_is_put_aside(self, tmp_path: Path) -> None:
        log = tmp_path / "x.log"
        with log.open("wb") as file:
            file.truncate(LOG_LIMIT_BYTES + 1)
        part = self.made(tmp_path, "/bin/true")
        part.start()
        self.ended(part)
        assert log.stat().st_size == 0
        assert (tmp_path / "x.log.1").stat().st_size == LOG_LIMIT_BYTES + 1

    def test_a_log_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "x.log").mkdir()
        part = self.made(tmp_path, "/bin/true")
        part.start()
        assert part.record().state == "waiting"
