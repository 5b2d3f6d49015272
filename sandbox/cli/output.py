"""What goes to the terminal: data to stdout, everything else to stderr, each with its own idea of colour.

Tables are drawn on a terminal; elsewhere their cells are separated by tabs. Text that comes from tasks and
servers is made harmless before it is shown.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}

STATUS_STYLES = {
    "pending": "dim",
    "scheduled": "dim",
    "assigned": "cyan",
    "running": "cyan bold",
    "retrying": "yellow",
    "succeeded": "green",
    "failed": "red",
    "dead": "red bold",
    "cancelled": "magenta",
    "timed-out": "red",
    "lost": "red",
}


@dataclass(slots=True, kw_only=True)
class Output:
    """The two streams of the process, and how they are to be written."""

    json: bool = False
    quiet: bool = False
    stdout_colors: bool = False
    stderr_colors: bool = False
    stdout_is_terminal: bool = False
    stderr_is_terminal: bool = False
    env: str = ""
    """The environment that was named on the command line: commands that we suggest must name it too."""

    @classmethod
    def for_process(
        cls, *, json: bool = False, quiet: bool = False, color: bool | None = None, env: str = ""
    ) -> Output:
        """What the streams of this process can show. `color` False: none; None: ask terminal and environment."""
        out, err = _is_terminal(sys.stdout), _is_terminal(sys.stderr)
        return cls(
            json=json,
            quiet=quiet,
            stdout_is_terminal=out,
            stderr_is_terminal=err,
            stdout_colors=color is not False and _wants_colors(out),
            stderr_colors=color is not False and _wants_colors(err),
            env=env,
        )

    def line(self, text: str = "") -> None:
        """A line of data."""
        sys.stdout.write(text + "\n")

    def error_line(self, text: str) -> None:
        """A line that is not data: an error, a hint."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def note(self, text: str) -> None:
        """A remark on stderr; left out with `--quiet` and `--json`."""
        if not self.quiet and not self.json:
            self.error_line(text)

    def json_line(self, value: Any) -> None:
        """A value as one line of JSON; the form is part of the contract of each command."""
        sys.stdout.write(dump_json(value) + "\n")

    def json_value(self, value: Any) -> None:
        """A single answer: indented on a terminal, one line elsewhere."""
        sys.stdout.write(dump_json(value, indent=self.stdout_is_terminal) + "\n")

    def style(self, text: str, style: str) -> str:
        """Text for stdout in a style: words such as `red bold`."""
        return _styled(text, style) if self.stdout_colors else text

    def err_style(self, text: str, style: str) -> str:
        """Text for stderr in a style."""
        return _styled(text, style) if self.stderr_colors else text

    def suggested(self, text: str) -> str:
        """A hint with the environment in each command of ours, so that it can be copied as it is."""
        return text.replace("azolla-local ", f"azolla-local --env {self.env} ") if self.env else text

    def status(self, word: str) -> str:
        """A status in its colour."""
        return self.style(word, STATUS_STYLES.get(word, ""))

    def safe(self, text: str, *, one_line: bool = True) -> str:
        """Text from elsewhere, without control sequences."""
        return safe(text, one_line=one_line)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, styles: Sequence[str] = ()) -> None:
        """A table on a terminal, tab-separated values elsewhere. `styles`: one a column; `status` colours by word."""
        safe_rows = [[safe(cell) for cell in row] for row in rows]
        if not self.stdout_is_terminal:
            for row in [list(columns), *safe_rows]:
                self.line("\t".join(row))
            return
        widths = [max([width(name), *(width(row[at]) for row in safe_rows)]) for at, name in enumerate(columns)]
        self.line(self.style(_row([name.upper() for name in columns], widths), "bold").rstrip())
        room = terminal_width()
        for row in safe_rows:
            cells = _fit(row, widths, room)
            styled = [
                self._cell(cell, row[at], styles[at] if at < len(styles) else "") for at, cell in enumerate(cells)
            ]
            self.line("  ".join(styled).rstrip())

    def _cell(self, padded: str, text: str, style: str) -> str:
        return self.style(padded, STATUS_STYLES.get(text, "") if style == "status" else style)


def safe(text: str, *, one_line: bool = True) -> str:
    """Text from elsewhere: control sequences made harmless; with `one_line` line ends and tabs become blanks."""
    if text.isprintable():
        return text
    from logsinks.display import safe_text

    if one_line:
        text = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return safe_text(text, keep_colour=False)


def dump_json(value: Any, *, indent: bool = False) -> str:
    """JSON as the command line prints it; integers of any size stay exact."""
    import json

    if indent:
        return json.dumps(value, ensure_ascii=False, indent=2)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def terminal_width() -> int:
    """Columns of the terminal; 80 where it doesn't say."""
    return shutil.get_terminal_size((80, 24)).columns


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (column - width(cell)) for cell, column in zip(cells, widths, strict=True))


def _fit(row: Sequence[str], widths: Sequence[int], room: int) -> list[str]:
    """The cells padded to their columns; what is too long for the terminal is cut in the last one."""
    cells = [cell + " " * (column - width(cell)) for cell, column in zip(row, widths, strict=True)]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    left = max(room - before, 8)
    if cells and width(cells[-1].rstrip()) > left:
        text = cells[-1].rstrip()
        while width(text) > left - 1:
            text = text[:-1]
        cells[-1] = text + "…"
    return cells


def _styled(text: str, style: str) -> str:
    codes = ";".join(_CODES[word] for word in style.split() if word in _CODES)
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # the stream was closed
        return False


def _wants_colors(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return terminal and os.environ.get("TERM") != "dumb"
