"""The command lines that start workers.

By path and with `-S`, not by `-m`: that spares the search for the module and, for executables, the reading of
site-packages, together a third of the start. The worker of a Python task does what `-S` left out itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

_FOLDER = Path(__file__).parent

# -S: site-packages later, if at all. -P: the working folder is no place to import from. -u: print at once.
_OPTIONS = ("-S", "-P", "-u")


def attempt_command(python: str = sys.executable) -> tuple[str, ...]:
    """Starts a worker for one attempt; the path of its assignment file is to be appended."""
    return (python, *_OPTIONS, str(_FOLDER / "main.py"))


def resident_command(python: str = sys.executable) -> tuple[str, ...]:
    """Starts a warm worker; `--control=FD`, `--channel=FD` and `--parallel=N` are to be appended."""
    return (python, *_OPTIONS, str(_FOLDER / "resident.py"))
