"""The logger of a task: it writes to the output of the attempt that the call is made in."""

from __future__ import annotations

import logging
import sys

LINE = "%(asctime)s %(levelname)s %(message)s"


class AttemptHandler(logging.Handler):
    """Writes to `sys.stderr` as it is at the time of the call, since a warm worker sees many attempts."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(LINE))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - a record that can't be formatted is reported, as logging does, not raised
            self.handleError(record)


def attempt_logger(name: str) -> logging.Logger:
    """The logger for a task name. It obeys what the task's code configures for its parent, `task`."""
    parent = logging.getLogger("task")
    if not parent.handlers:
        parent.addHandler(AttemptHandler())
        parent.propagate = False
        if parent.level == logging.NOTSET:
            parent.setLevel(logging.INFO)
    return parent.getChild(name)
