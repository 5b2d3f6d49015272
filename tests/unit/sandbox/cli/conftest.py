from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.cli.app import main
from tests.unit.sandbox.api.fake_services import FakeServices, served


@dataclass(frozen=True, slots=True)
class Said:
    """What a command has left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command line in this process, away from any terminal."""

    def call(*words: str) -> Said:
        capsysbinary.readouterr()
        code = main(list(words))
        captured = capsysbinary.readouterr()
        return Said(code, captured.out.decode("utf-8", "replace"), captured.err.decode("utf-8", "replace"))

    return call


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Gives the process an input: a regular file."""
    with contextlib.ExitStack() as opened:

        def give(text: str) -> None:
            path = tmp_path / "stdin"
            path.write_text(text)
            monkeypatch.setattr("sys.stdin", opened.enter_context(path.open()))

        yield give


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Gives the process a pipe as its input; the other end of it."""
    reading, writing = os.pipe()
    source = os.fdopen(reading)
    monkeypatch.setattr("sys.stdin", source)
    try:
        yield writing
    finally:
        source.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, FakeServices]]:
    services = FakeServices()
    with served(services) as url:
        yield url, services


@pytest.fixture
def services(server: tuple[str, FakeServices], monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    """The services behind AZOLLA_LOCAL_URL."""
    monkeypatch.setenv("AZOLLA_LOCAL_URL", server[0])
    found: Any = server[1]
    found.__init__()
    return found
