"""Every test on its own: a home of its own, a terminal of 80 by 24, no network beyond this machine.

What a person has set for their own azolla-local (`AZOLLA_…`) reaches no test. `AZOLLA_TEST_…` stays: it
says which real servers are there (`tests.support.services`).
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["tests.support.services", "tests.support.environments"]

_HOMES = {
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_RUNTIME_DIR": "run",
}
_REMOVED = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "GITHUB_ACTIONS")
_TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty home folder of the test."""
    top = tmp_path_factory.mktemp("t")
    home = top / "home"
    home.mkdir()
    (top / "run").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    for name, place in _HOMES.items():
        monkeypatch.setenv(name, str(top / place))
    for name in list(os.environ):
        if name.startswith("AZOLLA") and not name.startswith(("AZOLLA_TEST_", "AZOLLA_BASE_IMAGE")):
            monkeypatch.delenv(name)
    for name in _REMOVED:
        monkeypatch.delenv(name, raising=False)
    for name, value in _TERMINAL.items():
        monkeypatch.setenv(name, value)
    return home


class ForbiddenNetworkError(OSError):
    """A test wanted to reach another machine."""


def _allowed(address: Any) -> bool:
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return True  # unix sockets and other kinds that stay on this machine
    host = address[0].partition("%")[0]
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Python sockets reach this machine only. Real servers of the tests listen on loopback as well."""
    kept = socket.socket.connect, socket.socket.connect_ex

    def connect(self: socket.socket, address: Any) -> None:
        if not _allowed(address):
            raise ForbiddenNetworkError(f"tests don't reach other machines; this one wanted {address!r}")
        kept[0](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        if not _allowed(address):
            raise ForbiddenNetworkError(f"tests don't reach other machines; this one wanted {address!r}")
        return kept[1](self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    yield
    patch.undo()
