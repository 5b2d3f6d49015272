"""The reference pages say what the code says."""

from __future__ import annotations

import pytest

from sandbox.cli.command_table import COMMANDS
from tests.unit.sandbox.cli.reference import DOCS, PAGES


@pytest.mark.parametrize("name", list(PAGES))
def test_pages_are_what_the_code_says(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run: python -m tests.unit.sandbox.cli.reference"


def test_every_command_is_on_the_page() -> None:
    page = PAGES["cli.md"]()
    assert [name for name in COMMANDS if f"\n### azolla-local {name}\n" not in page] == []
