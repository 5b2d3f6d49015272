from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from sandbox.config.toml_lines import TomlLines

TEXT = '''\
# a comment with [brackets] and "quotes
top = 1
text = """
[not.a.table]
key = "not a key"
"""
list = [
  1, # ]
  "]",
  { in = 1 },
]
dotted.key."with space" = 2

[table]
key = 'a [b'

[table.below]
key = 1
[[many]]
key = 1
[[many]]
key = 2
[many.inner]
deep = 3
'''


def test_lines_of_keys() -> None:
    tomllib.loads(TEXT)
    lines = TomlLines(TEXT)
    expected = {
        ("top",): 2,
        ("text",): 3,
        ("list",): 7,
        ("list", 2, "in"): 7,
        ("dotted", "key", "with space"): 12,
        ("table",): 14,
        ("table", "key"): 15,
        ("table", "below", "key"): 18,
        ("many", 0, "key"): 20,
        ("many", 1, "key"): 22,
        ("many", 1, "inner", "deep"): 24,
        ("table", "absent"): 14,
        ("absent",): None,
    }
    assert {path: lines.of(path) for path in expected} == expected
    assert lines.of(("not", "a", "table")) is None


@given(st.text())
def test_any_text_is_scanned_without_an_error(text: str) -> None:
    TomlLines(text).of(("a",))
