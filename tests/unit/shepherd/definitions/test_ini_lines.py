from __future__ import annotations

import pytest

from shepherd.definitions.ini_lines import Entry, read_lines, unquoted, without_comment


def test_entries_keep_their_lines() -> None:
    found = read_lines("# head\n\n[Task]\nName=a\n; note\n  args = b c \n[Other] # why\nX=1\n")
    assert found.entries == [
        Entry("Task", "Name", "a", 4),
        Entry("Task", "args", "b c", 6),
        Entry("Other", "X", "1", 8),
    ]
    assert found.sections == {"Task": 3, "Other": 7}
    assert found.faults == []


def test_a_backslash_joins_lines_and_comments_between_them_are_skipped() -> None:
    found = read_lines("[A]\nArgs=one \\\n# not this\n  two \\\n\nB=1\n")
    assert found.entries == [Entry("A", "Args", "one two", 2), Entry("A", "B", "1", 6)]


def test_a_section_may_come_twice() -> None:
    assert [entry.key for entry in read_lines("[A]\nx=1\n[B]\n[A]\ny=2").entries] == ["x", "y"]


def test_faults_name_their_line_and_reading_goes_on() -> None:
    found = read_lines("early=1\n[A]\nnonsense\n[broken\n[]\n=x\nk=v\n")
    assert [fault.line for fault in found.faults] == [1, 3, 4, 5, 6]
    assert [entry.key for entry in found.entries] == ["k"]


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert read_lines("\ufeff[A]\r\nk=v\r\n").entries == [Entry("A", "k", "v", 2)]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a # note", "a "),
        ("#fff", "#fff"),
        (" # note", " "),
        ('"a # b" # note', '"a # b" '),
        ("'a # b'", "'a # b'"),
        ("don't # note", "don't "),
        ("it's 'a # b'", "it's 'a # b'"),
        ("'never closed # note", "'never closed "),
        (r'"a \" # b" # note', r'"a \" # b" '),
        ("X='a # b' # c", "X='a # b' "),
        ("a#b", "a#b"),
    ],
)
def test_a_comment_starts_behind_a_blank_outside_quotes(value: str, kept: str) -> None:
    assert without_comment(value) == kept


@pytest.mark.parametrize(
    ("value", "inner"),
    [
        ('"a b"', "a b"),
        ("'a b'", "a b"),
        (r'"a \"b\" \\"', r'a "b" \ '.strip()),
        ("a", "a"),
        ("", ""),
        ("'a' 'b'", "'a' 'b'"),
    ],
)
def test_quotes_around_the_whole_value_are_taken_off(value: str, inner: str) -> None:
    assert unquoted(value) == inner


def test_a_quote_that_is_never_closed() -> None:
    with pytest.raises(ValueError, match="closing"):
        unquoted('"abc')
