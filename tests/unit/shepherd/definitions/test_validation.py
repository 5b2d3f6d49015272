from __future__ import annotations

from pathlib import Path

from shepherd.definitions.validation import check_paths, validate_paths


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "a.task").write_text("[Command]\nCommand=sh\n")
    found = check_paths([tmp_path / "a.task"])
    assert (found.names, found.problems) == (("a",), ())


def test_what_depends_on_the_host_is_a_warning(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\n")
    (tmp_path / "a.task").write_text(
        "[Command]\nCommand=./run.sh\n[Checks]\na=./none.sh\nb=no-such-command-here x\nd=/\n"
        "[Service]\nWorkingDirectory=none\n"
    )
    problems = validate_paths([tmp_path / "a.task"])
    assert all(problem.warning for problem in problems)
    text = "\n".join(map(str, problems))
    for part in (
        "run.sh has no run bit: chmod +x",
        "none.sh isn't there",
        "no command no-such-command-here",
        "/ is a folder",
    ):
        assert part in text
    assert "working directory" in text


def test_files_that_arent_there_and_modules_without_tasks(tmp_path: Path) -> None:
    plain = tmp_path / "plain.py"
    plain.write_text("x = 1\n")
    problems = validate_paths([tmp_path / "none.task", plain])
    assert [problem.file.name for problem in problems] == ["none.task", "plain.py"]
    assert not any(problem.warning for problem in problems)


def test_a_name_that_is_taken_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.task").write_text("[Task]\nName=same\n[Command]\nCommand=sh\n")
    (problem,) = validate_paths([tmp_path / "a.task", tmp_path / "b.task"])
    assert "declared already" in problem.message
    assert validate_paths([tmp_path / "a.task", tmp_path / "a.task"]) == []


def test_a_module_with_a_syntax_error(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = (\n")
    (problem,) = validate_paths([tmp_path / "m.py"])
    assert problem.line == 1
