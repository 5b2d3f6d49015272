"""What exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.cli.command_table import COMMANDS
from sandbox.model.status import AttemptOutcome, TaskStatus

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("quickstart/**/*.md")])
PAGES = [page for page in PAGES if "out" not in page.relative_to(ROOT).parts]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def blocks(*languages: str) -> Iterator[Block]:
    for page in PAGES:
        for language, text in _BLOCK.findall(page.read_text()):
            if language in languages:
                yield Block(str(page.relative_to(ROOT)), language, text)


def shell_lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line of the pages, as words."""
    for block in blocks("sh", "console"):
        for line in block.text.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ").strip()
            if command and not command.startswith("#"):
                yield block.page, shlex.split(command, comments=True)


def command_of(words: list[str]) -> str | None:
    """The command of a call of azolla-local: its first word that is neither an option nor the value of one."""
    rest = words[words.index("azolla-local") + 1 :] if "azolla-local" in words else []
    while rest:
        if rest[0] in {"--env", "--url"}:
            rest = rest[2:]
        elif rest[0].startswith("-"):
            rest = rest[1:]
        else:
            return rest[0]
    return None


def test_there_are_command_lines_to_look_at() -> None:
    assert sum(1 for _ in shell_lines()) > 10


def test_commands_of_the_pages_exist() -> None:
    unknown = [
        (page, command)
        for page, words in shell_lines()
        if (command := command_of(words)) is not None and command not in COMMANDS
    ]
    assert unknown == []


def test_scripts_of_the_pages_exist_and_can_be_run() -> None:
    missing = [
        (page, words[0])
        for page, words in shell_lines()
        if words[0].startswith("./") and "/" in words[0][2:] and not os.access(ROOT / words[0], os.X_OK)
    ]
    assert missing == []


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "help"])
def test_every_command_is_mentioned(command: str) -> None:
    pattern = re.compile(rf"azolla-local (?:--env \S+ )?{re.escape(command)}\b")
    assert any(pattern.search(page.read_text()) for page in PAGES), f"no page mentions `azolla-local {command}`"


def test_python_of_the_pages_compiles() -> None:
    for block in blocks("python"):
        ast.parse(block.text, filename=block.page)


def test_links_lead_somewhere() -> None:
    broken = [
        (str(page.relative_to(ROOT)), target)
        for page in PAGES
        for target in _LINK.findall(_BLOCK.sub("", page.read_text()))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_pages_that_are_named_exist() -> None:
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in PAGES
        for name in re.findall(
            r"`((?:docs|quickstart|tests|bench|sandbox|shepherd|logsinks)/[\w./-]+)`", page.read_text()
        )
    }
    made = "quickstart/out"  # by the quickstart
    missing = [(page, name) for page, name in sorted(named) if not (name.startswith(made) or (ROOT / name).exists())]
    assert missing == []


def test_glossary_has_every_status_and_outcome() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    assert [status.word for status in TaskStatus if f"`{status.word}`" not in glossary] == []
    assert [outcome.word for outcome in AttemptOutcome if outcome.word not in glossary] == []


def test_decisions_are_numbered_without_gaps() -> None:
    files = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    for name in files:
        first = (ROOT / "docs" / "decisions" / name).read_text().splitlines()[0]
        assert first.startswith(f"# {int(name[:4])}. ")


def test_pages_speak_of_the_project_alone() -> None:
    for page in PAGES:
        assert not re.search(r"/(root|work|home)/\w", page.read_text()), page
