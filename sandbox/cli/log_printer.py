"""Prints what tasks have written: their stdout to stdout, their stderr to stderr, harmless on a terminal."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from logsinks.display import safe_text
from sandbox.cli.output import Output
from sandbox.cli.times import stamp

if TYPE_CHECKING:
    from sandbox.client.records import LogEntry

_PREFIX_STYLES = ("cyan", "magenta", "yellow", "green", "blue")


@dataclass(slots=True, kw_only=True)
class LogPrinter:
    """How the lines of one or several tasks are printed. Safe to use from several threads."""

    out: Output
    timestamps: bool = False
    raw: bool = False
    """Bytes as they are, on a terminal too."""
    merge: bool = False
    """Both streams to stdout."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _attempts: dict[str, int] = field(default_factory=dict[str, int])
    _open_lines: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def entry(self, entry: LogEntry, *, task_id: str = "", prefix: str = "", color: int = 0) -> None:
        """Print a line, or a piece of one."""
        with self._lock:
            self._rule(entry, task_id)
            if self.out.json:
                self.out.json_line({"task_id": task_id, **entry.raw})
                sys.stdout.flush()
                return
            if entry.stream == "gap":
                self.out.error_line(self.out.err_style(f"[{entry.data.decode('utf-8', 'replace').strip()}]", "yellow"))
                return
            to_stderr = entry.stream == "stderr" and not self.merge
            self._write(entry, task_id, self._before(entry, task_id, prefix, color, to_stderr=to_stderr), to_stderr)

    def _rule(self, entry: LogEntry, task_id: str) -> None:
        """Says on stderr where the next attempt begins."""
        before = self._attempts.get(task_id)
        self._attempts[task_id] = entry.attempt
        if before is not None and before != entry.attempt and not self.out.json and not self.out.quiet:
            self.out.error_line(self.out.err_style(f"── attempt {entry.attempt} ──", "dim"))

    def _before(self, entry: LogEntry, task_id: str, prefix: str, color: int, *, to_stderr: bool) -> str:
        if (task_id, entry.stream) in self._open_lines:
            return ""
        style = self.out.err_style if to_stderr else self.out.style
        parts: list[str] = []
        if prefix:
            parts.append(style(prefix, _PREFIX_STYLES[color % len(_PREFIX_STYLES)]))
        if self.timestamps:
            parts.append(style(stamp(entry.time), "dim"))
        return " ".join([*parts, ""])

    def _write(self, entry: LogEntry, task_id: str, before: str, to_stderr: bool) -> None:
        terminal = self.out.stderr_is_terminal if to_stderr else self.out.stdout_is_terminal
        colors = self.out.stderr_colors if to_stderr else self.out.stdout_colors
        data = entry.data
        if terminal and not self.raw:
            data = safe_text(data, keep_colour=colors).encode("utf-8", "replace")
        key = (task_id, entry.stream)
        if entry.data.endswith(b"\n"):
            self._open_lines.discard(key)
        elif entry.partial:
            self._open_lines.add(key)
        elif before:
            data += b"\n"  # a last line without its end would run into the prefix of the next
        if to_stderr:
            sys.stdout.flush()
        stream = sys.stderr if to_stderr else sys.stdout
        target: BinaryIO = stream.buffer
        target.write(before.encode() + data)
        target.flush()
