from __future__ import annotations

import pytest
from counting import examine

SOURCE = '''\
"""A module."""
import os  # TODO: is it needed?

TEXT = "TODO in a string is none"


class Outer:
    def method(self):
        """Documented."""
        if os.name and TEXT or self:
            return [x for x in TEXT if x]
        return None

    class Inner:
        async def deep(self):
            for _ in ():
                pass
            while False:
                pass
            try:
                pass
            except ValueError:
                pass  # XXX


def last():
    return 1 if TEXT else 2
'''


def test_counts() -> None:
    counts = examine("sample", SOURCE, say=lambda _: None)
    assert counts.lines == 27
    assert counts.functions == 3
    assert counts.documented == 1
    assert counts.classes == 2
    # if, and + or (one each), comprehension, for, while, except, conditional expression
    assert counts.branches == 8
    assert (counts.longest, counts.longest_lines) == ("Outer.Inner.deep", 9)
    assert counts.todos == 2


def test_says_what_it_finds_in_order() -> None:
    said: list[str] = []
    examine("sample", SOURCE, say=said.append)
    assert said[0] == "sample: 27 lines"
    assert said[1] == "  line 7: class Outer, 1 methods"
    assert "  line 2: # TODO: is it needed?" in said
    assert said[-1] == "sample: 3 functions, 2 classes, 8 branches, 2 to do"


def test_empty_module() -> None:
    counts = examine("empty", "", say=lambda _: None)
    assert (counts.lines, counts.functions, counts.longest, counts.longest_lines) == (0, 0, "", 0)


def test_last_line_without_newline_counts() -> None:
    assert examine("short", "a = 1\nb = 2", say=lambda _: None).lines == 2


def test_nested_functions_under_if_are_found() -> None:
    counts = examine("nested", "if True:\n    def a():\n        def b(): pass\n", say=lambda _: None)
    assert counts.functions == 2
    assert counts.longest == "a"


def test_unparsable_says_its_size_first_and_names_the_file() -> None:
    said: list[str] = []
    with pytest.raises(SyntaxError) as caught:
        examine("broken", "def f(:\n", path="/x/broken.py", say=said.append)
    assert caught.value.filename == "/x/broken.py"
    assert said == ["broken: 1 lines"]
