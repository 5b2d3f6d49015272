"""Real servers for tests: skipped with the reason where one is missing, failed in continuous integration.

::

    @pytest.mark.real
    def test_that_needs_an_engine(needs: Needs) -> None:
        engine = needs("AZOLLA_TEST_DOCKER")

`../shared/services` starts them and exports the variables; `.ci/run` calls it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Needs = Callable[[str], str]
"""Takes the name of a service's variable and gives its value, or ends the test."""


def needed(variable: str) -> str:
    """The value of `AZOLLA_TEST_…`. Unset: skips the test, and where CI=true fails it."""
    value = os.environ.get(variable, "")
    if value:
        return value
    name = variable.removeprefix("AZOLLA_TEST_").split("_")[0].lower()
    reason = f'{variable} is not set; to run this: eval "$(../shared/services/all start {name})"'
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def needs() -> Needs:
    """Ask for a real server in a test."""
    return needed
