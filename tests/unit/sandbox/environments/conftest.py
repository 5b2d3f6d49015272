from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_environment import FakeEnvironments


@pytest.fixture
def environments() -> Iterator[FakeEnvironments]:
    made = FakeEnvironments()
    yield made
    made.close()
