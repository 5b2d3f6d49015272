"""A disk without space, end to end: one clear error, nothing acknowledged is lost, and it goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import MakeEnvironment, RunningEnvironment

SIZE = 48 << 20
TEXT = "x" * 200_000


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="azolla-"))
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small tmpfs can only be mounted by root on Linux")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a small tmpfs can't be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * block)
            except OSError:
                continue
    return ballast


def submit_until_full(environment: RunningEnvironment) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """Tasks with much input until one is refused: the write-ahead log may still have room of its own."""
    accepted: list[str] = []
    for _ in range(200):
        done = environment.cli("-q", "submit", "echo", "--args", "-", stdin=f'["{TEXT}"]')
        if done.returncode:
            return accepted, done
        accepted.append(done.stdout.strip())
    raise AssertionError("a full disk refused nothing")


@pytest.mark.slow
def test_full_disk(environment_with: MakeEnvironment, small_disk: Path) -> None:
    environment = environment_with(home=small_disk)
    before = environment.must("-q", "submit", "echo").strip()
    environment.must("wait", before)
    ballast = fill(small_disk)

    accepted, refused = submit_until_full(environment)
    assert refused.returncode == 7, refused.stderr
    lines = refused.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert any(line.startswith("  try: ") for line in lines)
    assert "Traceback" not in refused.stderr

    # Still readable while it is full.
    assert "succeeded" in environment.must("show", before)

    ballast.unlink()
    after = environment.must("-q", "submit", "echo").strip()
    environment.must("wait", before, *accepted, after)
    stored = environment.must("sql", "select task_id from tasks", "--json")
    for task_id in (before, *accepted, after):
        assert task_id in stored
