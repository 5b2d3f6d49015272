"""What the pages say of fields and options is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from logsinks.sinks.local.config import OPTIONS
from logsinks.spool import layout
from logsinks.templates import DEFAULT_TEMPLATE, FIELDS

DOCS = Path(__file__).parents[3] / "docs"


def test_every_field_and_option_is_on_the_page():
    page = (DOCS / "logs.md").read_text()
    assert DEFAULT_TEMPLATE in page
    for name in (*FIELDS, *OPTIONS):
        assert re.search(rf"`{name}\b", page), name


def test_the_format_page_has_the_numbers_of_the_code():
    page = (DOCS / "spool-format.md").read_text()
    assert f"Version {layout.VERSION}." in page
    assert f"{layout.FRAME_SIZE} bytes + length" in page
    assert f"{layout.MAX_PAYLOAD:,} bytes" in page
    for name, number in (("begin", 0), ("out", 1), ("err", 2), ("end", 3), ("gap", 4), ("close", 5)):
        assert getattr(layout, name.upper()) == number
        assert f"| {number} | {name} |" in page
