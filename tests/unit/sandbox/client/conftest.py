from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.client import Client
from tests.unit.sandbox.api.fake_services import FakeServices, served


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, FakeServices]]:
    """One server for the file; `services` empties it before each test."""
    services = FakeServices()
    with served(services) as url:
        yield url, services


@pytest.fixture
def services(server: tuple[str, FakeServices]) -> FakeServices:
    found = server[1]
    found.__init__()  # type: ignore[misc]
    return found


@pytest.fixture
def url(server: tuple[str, FakeServices], services: FakeServices) -> str:
    return server[0]


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made
