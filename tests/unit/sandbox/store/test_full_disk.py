"""A disk that is full, played on a small tmpfs: when opening, when writing, and after room was made."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.errors import StoreError, StoreFull
from sandbox.store.contract import Durability
from sandbox.store.sqlite import SqliteStore
from tests.unit.sandbox.store.conftest import MakeTask, Write

SIZE = 4 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root on Linux can mount a small tmpfs")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a tmpfs can't be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 20, 4096):
            while True:
                try:
                    file.write(b"\0" * block)
                except OSError:
                    break
    return ballast


def test_at_the_first_open(disk: Path) -> None:
    ballast = fill(disk)
    for path in (disk / "azolla.db", disk / "new" / "azolla.db"):
        with pytest.raises(StoreFull) as caught:
            SqliteStore(path).open()
        assert str(disk) in caught.value.hint
    ballast.unlink()
    store = SqliteStore(disk / "azolla.db")
    store.open()
    store.close()


def test_at_a_later_open(disk: Path, write: Write, make_task: MakeTask) -> None:
    store = SqliteStore(disk / "azolla.db")
    store.open()
    write(store, created=[make_task(1)])
    store.close()
    ballast = fill(disk)
    with pytest.raises(StoreFull):
        SqliteStore(disk / "azolla.db").open()
    ballast.unlink()
    store = SqliteStore(disk / "azolla.db")
    store.open()
    assert len(list(store.load_unfinished())) == 1
    store.close()


@pytest.mark.parametrize("durability", list(Durability))
async def test_at_a_write(disk: Path, write: Write, make_task: MakeTask, durability: Durability) -> None:
    store = SqliteStore(disk / "azolla.db", durability)
    store.open()
    kept: list[str] = []
    error: StoreError | None = None
    ballast = fill(disk)
    for number in range(1, 1_000):
        task = make_task(number, args=f'["{"x" * 20_000}"]')
        error = write(store, created=[task])
        if error is not None:
            break
        kept.append(task.task_id)
    assert isinstance(error, StoreFull)
    assert error.retriable

    assert write(store, created=[make_task(2_000)]) is error
    # Reading is possible on a full disk, and so is asking for a task.
    assert [task.task_id for task in store.load_unfinished()] == kept
    if kept:
        assert await store.reader.task(kept[0]) is not None

    ballast.unlink()
    assert write(store, created=[make_task(3_000)]) is None
    kept.append(make_task(3_000).task_id)
    assert [task.task_id for task in store.load_unfinished()] == kept
    store.close()

    store = SqliteStore(disk / "azolla.db", durability)
    store.open()
    assert [task.task_id for task in store.load_unfinished()] == kept
    store.close()


def test_closing_on_a_full_disk_loses_nothing(disk: Path, write: Write, make_task: MakeTask) -> None:
    store = SqliteStore(disk / "azolla.db")
    store.open()
    for number in range(20):
        assert write(store, created=[make_task(number, args=f'["{"x" * 20_000}"]')]) is None
    ballast = fill(disk)
    store.close()
    ballast.unlink()
    store = SqliteStore(disk / "azolla.db")
    store.open()
    assert len(list(store.load_unfinished())) == 20
    store.close()
