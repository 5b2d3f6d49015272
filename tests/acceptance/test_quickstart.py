"""./quickstart/run as a newcomer runs it, with fewer modules, and what it tells them to try next."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.environments import ROOT, MakeEnvironment, RunningEnvironment

LIMIT = 40
# Where somebody runs the tests without tests/run there may be no .venv, and this is no place to make one.
IN_PROJECT = (ROOT / ".venv" / "installed-base").exists()
COMMAND = [str(ROOT / "quickstart" / "run")] if IN_PROJECT else [sys.executable, str(ROOT / "quickstart" / "tour")]


def tour(environment: RunningEnvironment, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--limit", str(LIMIT), "--out", str(out), *options],
        env=environment.variables,
        cwd=environment.home,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


@pytest.mark.slow
def test_from_nothing_to_a_report(environment_with: MakeEnvironment, tmp_path: Path) -> None:
    environment = environment_with(started=False)
    done = tour(environment, tmp_path)
    assert done.returncode == 0, done.stderr + environment.logs()

    for phase in ("environment", "modules", "census", "archive", "report"):
        assert re.search(rf"^  ✓ {phase} ", done.stdout, re.MULTILINE), phase
    assert "\x1b" not in done.stdout
    assert f"{LIMIT + 3} tasks in" in done.stdout
    assert "1 failed on purpose after 2 retries" in done.stdout

    html = (tmp_path / "report.html").read_text()
    assert "<svg" in html
    assert "broken_on_purpose" in html
    assert "SyntaxError" in html
    assert "| module |" in (tmp_path / "report.md").read_text()
    with tarfile.open(tmp_path / "census.tar.gz") as archive:
        content = archive.extractfile("census.json")
        assert content is not None
        assert len(json.load(content)["results"]) == LIMIT

    # What it tells to try next works, word by word.
    commands = re.findall(
        r"^  \S*azolla-local (why|logs|sql|ls|status|down)( .*?)?(?:   # .*)?$", done.stdout, re.MULTILINE
    )
    assert [name for name, _ in commands] == ["why", "logs", "sql", "ls", "status", "down"]
    told: dict[str, str] = {}
    for name, rest in commands[:-1]:
        told[name] = environment.must(name, *(word.strip('"') for word in re.findall(r'"[^"]*"|\S+', rest)))
    assert "SyntaxError" in told["why"]
    assert told["logs"].count("broken_on_purpose") >= 3

    # It has left the environment running, and can be run again.
    again = tour(environment, tmp_path)
    assert again.returncode == 0, again.stderr + environment.logs()
    environment.must("down")


@pytest.mark.slow
def test_beside_an_environment_with_other_tasks(environment: RunningEnvironment, tmp_path: Path) -> None:
    done = tour(environment, tmp_path)
    assert done.returncode == 0, done.stderr + environment.logs()
    assert "--env quickstart why " in done.stdout
    environment.must("--env", "quickstart", "down")


def test_a_folder_that_cannot_be_written(environment_with: MakeEnvironment, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = tour(environment_with(started=False), tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"error: {tmp_path / 'file'} can't be written"
    assert "Traceback" not in done.stderr
