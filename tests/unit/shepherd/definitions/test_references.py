from __future__ import annotations

import pytest

from shepherd.definitions.references import MissingReference, Reference, expand, expand_environment, references


def test_references_are_found_in_order() -> None:
    assert references("a ${B} $C ${secret:d.e} $${not}") == [
        Reference("B", secret=False),
        Reference("d.e", secret=True),
    ]


@pytest.mark.parametrize("text", ["${", "${}", "${a b}", "${secret:}", "x${1}", "${secret"])
def test_broken_references(text: str) -> None:
    with pytest.raises(ValueError, match="NAME"):
        references(text)


def test_filling_in() -> None:
    assert expand("<${A}> ${secret:s} $${A} $A", {"A": "1"}, {"s": "2"}) == "<1> 2 ${A} $A"


def test_what_is_filled_in_is_not_read_again() -> None:
    assert expand("${A}", {"A": "${B}", "B": "x"}) == "${B}"


def test_missing() -> None:
    with pytest.raises(MissingReference, match="no variable A"):
        expand("${A}", {})
    with pytest.raises(MissingReference, match="no secret s"):
        expand("${secret:s}", {"s": "a variable is no secret"})


def test_variables_see_those_above_them() -> None:
    made = expand_environment({"A": "${HOME}/a", "B": "${A}/b ${secret:s}"}, {"HOME": "/h"}, {"s": "x"})
    assert made == {"A": "/h/a", "B": "/h/a/b x"}
    with pytest.raises(MissingReference):
        expand_environment({"A": "${B}", "B": ""}, {}, {})
