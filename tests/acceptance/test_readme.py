"""The task of your own from the README, written to files and run with the command lines of the README."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.environments import ROOT, MakeEnvironment

README = (ROOT / "README.md").read_text()


def files() -> dict[str, str]:
    """The blocks that say in their first line which file they are."""
    found = re.findall(r"^```(?:python|ini)\n# (\S+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return dict(found)


def command_lines() -> list[list[str]]:
    """The command lines that follow them, as words after `azolla-local`."""
    after = README.split("# tasks/", 1)[1]
    block = re.search(r"^```sh\n(.*?)^```", after, re.MULTILINE | re.DOTALL)
    assert block is not None
    words = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    return [line[1:] for line in words if line and line[0] == "azolla-local"]


def test_the_readme_has_both_kinds_of_task() -> None:
    assert {Path(name).suffix for name in files()} == {".py", ".task"}
    assert command_lines()[0] == ["up", "--restart"]


@pytest.mark.slow
def test_your_own_task(environment_with: MakeEnvironment, tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    environment = environment_with(tasks=tmp_path / "tasks", started=False)
    printed = [environment.must(*words) for words in command_lines()]
    assert "hello, world" in "".join(printed)
