"""What tests/conftest.py promises to every test."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.support.services import needed


def test_home_is_empty_and_ours(isolated: Path) -> None:
    assert Path.home() == isolated
    assert list(isolated.iterdir()) == []
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        assert Path(os.environ[name]).is_relative_to(isolated)


def test_terminal_is_plain() -> None:
    assert "NO_COLOR" not in os.environ
    assert (os.environ["COLUMNS"], os.environ["LINES"]) == ("80", "24")


def test_nothing_of_a_persons_own_settings_leaks() -> None:
    assert [name for name in os.environ if name.startswith("AZOLLA_LOCAL")] == []


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80), ("2001:db8::1", 80)])
def test_no_way_to_other_machines(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(OSError, match="other machines"):
        one.connect(address)
    with socket.socket(family) as one, pytest.raises(OSError, match="other machines"):
        one.connect_ex(address)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_a_missing_service_skips_on_a_laptop_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZOLLA_TEST_S3_ENDPOINT", raising=False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"AZOLLA_TEST_S3_ENDPOINT is not set.* start s3"):
        needed("AZOLLA_TEST_S3_ENDPOINT")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="AZOLLA_TEST_S3_ENDPOINT"):
        needed("AZOLLA_TEST_S3_ENDPOINT")
    monkeypatch.setenv("AZOLLA_TEST_S3_ENDPOINT", "http://127.0.0.1:19000")
    assert needed("AZOLLA_TEST_S3_ENDPOINT") == "http://127.0.0.1:19000"
