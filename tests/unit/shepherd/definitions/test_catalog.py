from __future__ import annotations

import os
from pathlib import Path

import pytest

from shepherd.definitions import Catalog
from shepherd.errors import UnknownTask


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def task_file(folder: Path, name: str, command: str = "true") -> Path:
    return write(folder / f"{name}.task", f"[Command]\nCommand={command}\n")


def module(folder: Path, name: str, body: str = "@task\ndef f(): ...\n") -> Path:
    return write(folder / f"{name}.py", f"from sandbox import task\n{body}")


def test_all_kinds_of_files_in_all_folders(tmp_path: Path) -> None:
    task_file(tmp_path / "one", "a")
    write(tmp_path / "one" / "deep" / "b.ini", "[Command]\nCommand=true\n")
    module(tmp_path / "two", "work")
    write(tmp_path / "two" / "plain.py", "task = 1\n")
    for skipped in (".hidden", "__pycache__", "venv"):
        task_file(tmp_path / "one" / skipped, "no")
    task_file(tmp_path / "one", ".hidden")
    catalog = Catalog([tmp_path / "one", tmp_path / "two"])
    assert catalog.names() == ["a", "b", "f"]
    assert [definition.name for definition in catalog.definitions()] == ["a", "b", "f"]
    assert catalog.problems() == []


def test_a_broken_file_hides_no_other(tmp_path: Path) -> None:
    task_file(tmp_path, "a")
    write(tmp_path / "b.task", "[Command]\nComand=x\n")
    module(tmp_path, "c", "@task(nam='x')\ndef f(): ...\n@task\ndef g(): ...\n")
    catalog = Catalog([tmp_path])
    assert catalog.names() == ["a", "g"]
    assert [(problem.file.name, problem.nearest) for problem in catalog.problems()] == [
        ("b.task", "Command"),
        ("c.py", "name"),
    ]


def test_an_unknown_name_tells_the_nearest_and_what_is_broken(tmp_path: Path) -> None:
    task_file(tmp_path, "render-report")
    write(tmp_path / "b.task", "[Oops]\n")
    with pytest.raises(UnknownTask) as caught:
        Catalog([tmp_path]).get("render-reprot")
    assert caught.value.nearest == ("render-report",)
    assert "render-report" in caught.value.hint
    assert "b.task:1" in caught.value.why


def test_nothing_changed(tmp_path: Path) -> None:
    path = task_file(tmp_path, "a")
    catalog = Catalog([tmp_path])
    os.utime(path, ns=(0, 0))
    catalog.refresh()
    assert catalog.refresh() is False


def test_changes_are_seen_even_within_the_grain_of_the_clock(tmp_path: Path) -> None:
    path = task_file(tmp_path, "a", "old")
    catalog = Catalog([tmp_path])
    before = path.stat()
    path.write_text(path.read_text().replace("old", "new"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert catalog.refresh() is True
    assert catalog.get("a").command == "new"


def test_files_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    catalog = Catalog([folder])
    assert [problem.warning for problem in catalog.problems()] == [True]
    path = task_file(folder, "a")
    assert catalog.refresh() is True
    assert (catalog.names(), catalog.problems()) == (["a"], [])
    task_file(folder / "deep", "b")
    assert catalog.refresh() is True
    assert catalog.names() == ["a", "b"]
    path.unlink()
    assert catalog.refresh() is True
    assert catalog.names() == ["b"]


def test_a_slip_keeps_the_last_good_definition(tmp_path: Path) -> None:
    path = task_file(tmp_path, "a", "old")
    source = module(tmp_path, "work")
    catalog = Catalog([tmp_path])
    digest = catalog.get("f").digest
    path.write_text("[Command]\nComand=new\n")
    source.write_text("from sandbox import task\n@task\ndef f(: ...\n")
    assert catalog.refresh() is True
    assert catalog.get("a").command == "old"
    assert catalog.get("f").digest != digest, "workers must notice, and show the error"
    assert len(catalog.problems()) == 2
    task_file(tmp_path, "a", "new")
    catalog.refresh()
    assert catalog.get("a").command == "new"


def test_a_change_of_a_neighbour_changes_the_digest(tmp_path: Path) -> None:
    helper = write(tmp_path / "helper.py", "x = 1\n")
    module(tmp_path, "work", "import helper\n@task\ndef f(): ...\n")
    catalog = Catalog([tmp_path])
    digest = catalog.get("f").digest
    helper.write_text("x = 22\n")
    assert catalog.refresh() is True
    assert catalog.get("f").digest != digest


def test_the_first_declaration_of_a_name_counts(tmp_path: Path) -> None:
    first = task_file(tmp_path / "one", "a", "first")
    second = task_file(tmp_path / "two", "a", "second")
    catalog = Catalog([tmp_path / "one", tmp_path / "two"])
    assert catalog.get("a").command == "first"
    (problem,) = catalog.problems()
    assert problem.file == second
    assert str(first) in problem.message


def test_single_files_can_be_given(tmp_path: Path) -> None:
    path = task_file(tmp_path, "a")
    task_file(tmp_path, "b")
    assert Catalog([path]).names() == ["a"]


def test_a_file_without_right_to_read(tmp_path: Path) -> None:
    (tmp_path / "dir.task").mkdir()
    (tmp_path / "loop.task").symlink_to("loop.task")
    task_file(tmp_path, "a")
    catalog = Catalog([tmp_path])
    assert catalog.names() == ["a"]
    assert [problem.file.name for problem in catalog.problems()] == ["loop.task"]
