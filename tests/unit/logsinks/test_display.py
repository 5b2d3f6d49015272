from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsinks.display import safe_text

_ALLOWED = re.compile(r"\x1b\[[0-9;:]*m")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("\x1b]0;title\x07x", "␛]0;title␇x"),
        ("\x1b]52;c;aGk=\x1b\\x", "␛]52;c;aGk=␛\\x"),
        ("back\rover", "back␍over"),
        ("dos\r\n", "dos\n"),
        ("bell\x07", "bell␇"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("\x9b2J", "\ufffd2J"),
        ("end\x1b", "end␛"),
    ],
)
def test_nothing_but_text_is_left(text: str, shown: str):
    assert safe_text(text, keep_colour=False) == shown


def test_colour_may_stay_and_is_switched_off_at_the_end():
    assert safe_text("\x1b[31mred\x1b[2J", keep_colour=True) == "\x1b[31mred␛[2J\x1b[0m"
    assert safe_text("\x1b[31mred\x1b[0m", keep_colour=True) == "\x1b[31mred\x1b[0m"


def test_bytes_that_are_no_text():
    assert safe_text(b"a\xff\x1b[2J", keep_colour=False) == "a\ufffd␛[2J"


@given(st.text(st.characters() | st.sampled_from("\x1b[]m0;\x07\\\x9b"), max_size=60), st.booleans())
def test_no_control_gets_through(text: str, keep_colour: bool):
    shown = safe_text(text, keep_colour=keep_colour)
    rest = _ALLOWED.sub("", shown) if keep_colour else shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rest)
