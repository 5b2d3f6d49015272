"""What people see when we have a bug: a sentence, and a file to attach; the traceback goes into the file."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import InternalError


def report_crash(error: BaseException, words: Sequence[str]) -> InternalError:
    """Save a report of the error; gives the error to show. The report holds the command line, no local values."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = "\n".join(
        [
            "azolla-local crash report",
            f"time      {time.strftime('%Y-%m-%dT%H:%M:%S%z')}",
            f"version   {_version()}",
            f"python    {sys.version.split()[0]} on {platform.platform()}",
            f"command   azolla-local {' '.join(words)}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    saved = _save(text)
    hint = f"report it, with the file {saved}" if saved else "report it, with what you did"
    return InternalError("This is a bug of azolla-local", subject=" ".join(words[:1]), why=what, hint=hint)


def _save(text: str) -> Path | None:
    """Under the state folder; in the temporary folder where that can't be written; None where nothing can."""
    from sandbox.client.address import state_root

    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (state_root() / "crashes", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8")
        except OSError:  # not there either: try the next place, the message itself is shown in any case
            continue
        return path
    return None


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("azolla-local")
    except PackageNotFoundError:
        return "not installed"
