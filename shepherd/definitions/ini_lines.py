"""The lines of an INI file in systemd's manners: sections, keys, values, and where each stands.

Not configparser, on purpose: it keeps no line numbers, so that a mistake could be named but not found; it either
refuses repeated keys or silently keeps the last, where `Args=` twice means both; its inline comments cut quoted
values at a `#`; and it joins lines by indentation, where these manners join them by a backslash.

Rules: `#` and `;` start a comment at the start of a line; ` #` starts one behind a value, outside quotes;
a backslash at the end joins the next line with a space; sections and keys may be in any case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_HEADER = re.compile(r"\[\s*([^\[\]]*?)\s*\]\s*(?:[#;].*)?")
_QUOTES = "\"'"


class Entry(NamedTuple):
    """One `Key=value`; the value without its trailing comment, quotes still on."""

    section: str
    key: str
    value: str
    line: int


class Fault(NamedTuple):
    """A line that can't be read."""

    line: int
    message: str
    expected: str


@dataclass(slots=True)
class IniLines:
    """What was read."""

    entries: list[Entry] = field(default_factory=list[Entry])
    sections: dict[str, int] = field(default_factory=dict[str, int])
    """Section as written, and the line of its first header."""
    faults: list[Fault] = field(default_factory=list[Fault])


def read_lines(text: str) -> IniLines:
    """Every entry of the text; a line that can't be read becomes a fault, and reading goes on."""
    found = IniLines()
    section = ""
    in_section = False
    for number, line in _logical_lines(text):
        if line.startswith("["):
            header = _HEADER.fullmatch(line)
            if header is None or not header[1]:
                found.faults.append(Fault(number, f"{line!r} is no section header", "[Name]"))
                continue
            section = header[1]
            in_section = True
            found.sections.setdefault(section, number)
            continue
        key, sign, value = line.partition("=")
        key = key.strip()
        if not sign or not key:
            found.faults.append(Fault(number, f"{_short(line)!r} is neither a key nor a section", "Key=value"))
        elif not in_section:
            found.faults.append(Fault(number, f"{key} stands before the first section", "a header such as [Task]"))
        else:
            found.entries.append(Entry(section, key, without_comment(value).strip(), number))
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines that say something, joined where a backslash asks for it, each with its first line's number."""
    lines: list[tuple[int, str]] = []
    joined = ""
    started = 0
    # Not splitlines(): a form feed or a Unicode separator inside a value is no new line to an editor.
    for number, raw in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            started = started or number
            joined += line[:-1].rstrip() + " "
            continue
        line = (joined + line).strip()
        if line:
            lines.append((started or number, line))
        joined, started = "", 0
    if joined.strip():
        lines.append((started, joined.strip()))
    return lines


def without_comment(value: str) -> str:
    """The value up to a ` #` outside quotes. An apostrophe inside a word, or one never closed, is no quote."""
    at = 0
    while at < len(value):
        char = value[at]
        starts_word = at == 0 or value[at - 1].isspace() or value[at - 1] == "="
        if char == "#" and at > 0 and value[at - 1].isspace():
            return value[:at]
        if char in _QUOTES and starts_word:
            end = _closing(value, at)
            if end > 0:
                at = end
        at += 1
    return value


def _closing(value: str, opening: int) -> int:
    quote = value[opening]
    at = opening + 1
    while at < len(value):
        if quote == '"' and value[at] == "\\":
            at += 1
        elif value[at] == quote:
            return at
        at += 1
    return -1


def unquoted(value: str) -> str:
    """The value without quotes around the whole of it. ValueError where a quote is opened and never closed."""
    if not value or value[0] not in _QUOTES:
        return value
    end = _closing(value, 0)
    if end < 0:
        raise ValueError(f"a closing {value[0]}")
    if end != len(value) - 1:
        return value
    inner = value[1:-1]
    return re.sub(r'\\(["\\])', r"\1", inner) if value[0] == '"' else inner


def _short(line: str) -> str:
    return line if len(line) <= 60 else line[:57] + "..."
