"""On which line of a TOML file a key stands: what `tomllib` knows and doesn't tell.

Only used for files that `tomllib` has accepted, so that the scanner needs no errors of its own. A key that it can't
find (inside an inline table, say) has the line of the nearest key around it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_PART = r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'"""
_KEY = re.compile(rf"\s*((?:{_PART})(?:\s*\.\s*(?:{_PART}))*)\s*=\s*")
_TABLE = re.compile(rf"\s*(\[\[?)\s*((?:{_PART})(?:\s*\.\s*(?:{_PART}))*)\s*\]")
_PARTS = re.compile(_PART)
_SKIPPED = re.compile(r"""\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''.*?'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*""", re.DOTALL)


class TomlLines:
    """The lines of the keys of one file."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        for path, line in _scan(text):
            self._lines.setdefault(path, line)

    def of(self, path: KeyPath) -> int | None:
        """The line of that key, else of the nearest one around it; None if the file has neither."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return line
        return None


def _scan(text: str) -> Iterator[tuple[KeyPath, int]]:
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for number, statement in _statements(text):
        if header := _TABLE.match(statement):
            table = tuple(_names(header[2]))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            else:
                table = _inside_lists(table, counts)
            yield from _prefixes((), table, number)
        elif key := _KEY.match(statement):
            yield from _prefixes(table, tuple(_names(key[1])), number)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each line that begins a statement, with its number; lines inside strings and lists are left out."""
    # What is inside strings and comments becomes filler of the same number of lines, so that brackets can be counted.
    masked = _SKIPPED.sub(lambda match: re.sub(r"[^\n]", "_", match[0]), text)
    depth = 0
    begins_inside = [False]
    for match in _SKIPPED.finditer(text):
        inside = match[0].count("\n")
        before = text.count("\n", 0, match.start())
        begins_inside.extend([False] * (before + inside + 1 - len(begins_inside)))
        for line in range(before + 1, before + inside + 1):
            begins_inside[line] = True
    for index, (line, plain) in enumerate(zip(text.split("\n"), masked.split("\n"), strict=True)):
        inside = depth > 0 or (index < len(begins_inside) and begins_inside[index])
        if not inside:
            yield index + 1, line
        if inside or not _TABLE.match(line):
            depth += sum(plain.count(bracket) for bracket in "[{") - sum(plain.count(bracket) for bracket in "]}")


def _names(dotted: str) -> Iterator[str]:
    for part in _PARTS.findall(dotted):
        text = str(part)
        if text.startswith('"'):
            yield str(json.loads(text))
        else:
            yield text.strip("'")


def _inside_lists(table: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    """`[a.b]` after `[[a]]` is in the newest element of a."""
    found: KeyPath = ()
    plain: KeyPath = ()
    for part in table:
        found, plain = (*found, part), (*plain, part)
        if plain in counts and plain != table:
            found = (*found, counts[plain])
    return found


def _prefixes(table: KeyPath, key: KeyPath, line: int) -> Iterator[tuple[KeyPath, int]]:
    for length in range(1, len(key) + 1):
        yield (*table, *key[:length]), line
