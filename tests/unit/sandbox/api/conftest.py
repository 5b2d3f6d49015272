from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.api.rest.app import create_app
from tests.unit.sandbox.api.fake_services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
async def http(services: FakeServices) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:52711") as client:
        yield client
