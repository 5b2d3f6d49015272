from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def write(folder: Path, text: str, name: str = "a.task") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_fine_files_give_a_summary(run: Run, tmp_path: Path) -> None:
    said = run("validate", write(tmp_path, "[Command]\nCommand=sh\n"))
    assert (said.code, said.out, said.err) == (0, "", "1 task fine: a\n")


def test_a_problem_is_a_line_with_its_place(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "[Task]\nNam=x\n[Command]\nCommand=sh\n")
    said = run("validate", path)
    assert said.code == 2
    assert (
        said.out == f"{path}:2: [Task] has no key Nam; expected one of Name, Description, Labels; did you mean Name?\n"
    )
    assert said.err == "1 problem\n"


def test_warnings_dont_fail(run: Run, tmp_path: Path) -> None:
    said = run("validate", write(tmp_path, "[Command]\nCommand=no-such-command-here\n"))
    assert said.code == 0
    assert "warning: no command no-such-command-here" in said.out
    assert said.err == "1 task fine, 1 warning: a\n"


def test_for_programs(run: Run, tmp_path: Path) -> None:
    said = run("validate", "--json", write(tmp_path, "[Command]\nComand=sh\n"), str(tmp_path / "none"))
    found = json.loads(said.out)
    assert (said.code, found["tasks"], said.err) == (2, [], "")
    assert [(problem["line"], problem["nearest"]) for problem in found["problems"]] == [(2, "Command"), (0, "")]


def test_control_sequences_of_a_file_reach_no_terminal(run: Run, tmp_path: Path) -> None:
    assert "\x1b" not in run("validate", write(tmp_path, "[Command]\n\x1b]0;x\x07=1\n")).out
