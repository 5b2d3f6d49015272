"""Task files and modules of any content: never an exception, and what is written is what is read."""

from __future__ import annotations

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shepherd.definitions import units
from shepherd.definitions.ini_lines import read_lines, unquoted, without_comment
from shepherd.definitions.python_source import read_module
from shepherd.definitions.references import expand, references
from shepherd.definitions.task_file import read_task_file
from shepherd.definitions.task_file_keys import FREE_SECTIONS, SECTIONS, keys_of

FILE = Path("/tasks/a.task")

_ALL_KEYS = [key.name for section in SECTIONS if section not in FREE_SECTIONS for key in keys_of(section)]
_VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "2s", "512M", "infinity", "never", "process", '"a b"', "'", '"', "${", "${secret:x}", "a # b", "-1"]
    ),
)
_LINES = st.one_of(
    st.text(max_size=40),
    st.sampled_from([f"[{name}]" for name in SECTIONS]),
    st.builds(
        lambda key, value: f"{key}={value}", st.one_of(st.sampled_from(_ALL_KEYS), st.text(max_size=10)), _VALUES
    ),
)
_PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


@given(st.lists(_LINES, max_size=15).map("\n".join))
def test_any_file_is_a_definition_or_has_problems(text: str) -> None:
    definition, problems = read_task_file(FILE, text.encode("utf-8", "surrogatepass"))
    assert (definition is None) == any(not problem.warning for problem in problems)
    last = text.count("\n") + 1
    assert all(0 <= problem.line <= last and problem.message for problem in problems)
    if definition is not None:
        definition.retry_policy_json()


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    read_task_file(FILE, content)
    read_module(Path("/tasks/a.py"), content)


@given(st.lists(_PLAIN.filter(lambda word: "${" not in word), max_size=6))
def test_arguments_come_back_as_they_were_quoted(words: list[str]) -> None:
    text = f"[Command]\nCommand=run\nArgs={shlex.join(words)} # comment"
    definition, problems = read_task_file(FILE, text.encode())
    assert definition is not None, problems
    assert definition.args == tuple(words)


@given(_PLAIN)
def test_a_quoted_value_comes_back(value: str) -> None:
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    (entry,) = read_lines(f"[Environment]\nA={quoted} # comment").entries
    assert unquoted(entry.value) == value


@given(st.text(max_size=60))
def test_what_a_comment_leaves_is_the_start_of_the_value(value: str) -> None:
    assert value.startswith(without_comment(value))


@given(st.text(alphabet="${}:secretA_ ", max_size=30))
def test_references_that_are_found_can_be_filled_in(text: str) -> None:
    try:
        found = references(text)
    except ValueError:
        return
    names = {reference.name: "x" for reference in found}
    assert "${" not in expand(text, names, names).replace("${", "", text.count("$${"))


@given(st.integers(0, 2**40), st.sampled_from(["", "K", "M", "G"]))
def test_sizes(number: int, unit: str) -> None:
    expected = number * 1024 ** " KMG".index(unit or " ")
    if expected <= units.LARGEST_BYTES:
        assert units.size_bytes(f"{number}{unit}") == expected


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_times(hours: int, minutes: int, seconds: int) -> None:
    assert units.seconds(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=20))
def test_units_refuse_with_what_they_expect(text: str) -> None:
    for read in (units.size_bytes, units.seconds, units.whole, units.processors, units.flag):
        expected = ""
        try:
            read(text)
        except ValueError as error:
            expected = str(error)
        assert not expected or expected.startswith(("a ", "yes "))
