from __future__ import annotations

from pathlib import Path

from sandbox.config.reference import render

PAGE = Path(__file__).parents[4] / "docs" / "configuration.md"


def test_the_page_is_that_of_the_settings() -> None:
    assert PAGE.read_text("utf-8") == render(), (
        "make it new: python -m sandbox.config.reference > docs/configuration.md"
    )


def test_every_setting_has_a_meaning() -> None:
    from sandbox.config.known_keys import fields

    assert [path for path, field in fields() if not field.description] == []
