"""The peers: an environment of their own, made on first use, and their figures for the cases.

A peer is a script in this folder that runs with that environment's Python:

    SCRIPT CASE FOLDER SCALE [ADDRESS]      prints one JSON object with its figures; {} where it has no such thing

What can't be set up is left out of the table, with the reason below it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.harness.environment import cache
from bench.peers.redis_server import RedisMissingError, redis_server

HUEY, RQ = "Huey, SQLite", "RQ, Redis"
_HERE = Path(__file__).parent
_SCRIPTS = {HUEY: "huey_sqlite.py", RQ: "rq_redis.py"}
Figures = dict[str, float]


class Peers:
    """Both peers. Not there: empty columns and a note."""

    def __init__(self, *, wanted: bool, scale: float) -> None:
        self._wanted = wanted
        self._scale = scale
        self._python: Path | None = None
        self._prepared = False
        self.notes: list[str] = []

    @property
    def names(self) -> list[str]:
        """The columns of the table."""
        return ["bare", HUEY, RQ] if self._wanted else ["bare"]

    def figures(self, case: str, show: Callable[[Figures], str]) -> dict[str, str]:
        """What each peer reaches in that case, as text; "-" where it has no such thing."""
        if not self._wanted:
            return {}
        return {name: self._figure(name, case, show) for name in (HUEY, RQ)}

    def _figure(self, name: str, case: str, show: Callable[[Figures], str]) -> str:
        python = self._environment()
        if python is None:
            return "skipped"
        folder = Path(tempfile.mkdtemp(prefix="peer-", dir=cache()))
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            words = [str(python), str(_HERE / _SCRIPTS[name]), case, str(folder), str(self._scale)]
            if name == RQ:
                try:
                    words.append(stack.enter_context(redis_server(folder)))
                except RedisMissingError as missing:
                    self._note(f"{name}: {missing}")
                    return "skipped"
            done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=_HERE, timeout=600)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            self._note(f"{name}: {case} failed: {last}")
            return "failed"
        figures: Figures = json.loads(done.stdout)
        return show(figures) if figures else "-"

    def _environment(self) -> Path | None:
        """Their Python; None if it can't be made, with a note."""
        if self._prepared:
            return self._python
        self._prepared = True
        folder = cache() / "venv"
        python = folder / "bin" / "python"
        wanted = (_HERE / "requirements.txt").read_text()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text() != wanted:
            print("peers: installing Huey and RQ into", folder, file=sys.stderr)
            try:
                venv.create(folder, clear=True, with_pip=True)
                subprocess.run(
                    [str(python), "-m", "pip", "install", "--quiet", "-r", str(_HERE / "requirements.txt")],
                    check=True,
                    env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
                )
            except (OSError, subprocess.CalledProcessError) as error:
                self._note(f"Huey and RQ could not be installed: {error}")
                return None
            stamp.write_text(wanted)
        self._python = python
        return python

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
