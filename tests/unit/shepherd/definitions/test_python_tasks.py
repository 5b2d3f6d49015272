from __future__ import annotations

import pytest

from sandbox import Context, Retry, task
from sandbox.testing import FakeContext
from shepherd.definitions.python_tasks import OPTIONS_ATTRIBUTE


def test_a_task_stays_a_function() -> None:
    @task
    def plain(x: int) -> int:
        return x + 1

    @task(name="other", retries=3)
    def with_options(x: int) -> int:
        return x + 2

    assert (plain(1), with_options(1)) == (2, 3)
    assert getattr(with_options, OPTIONS_ATTRIBUTE) == {"name": "other", "retries": 3}


def test_an_option_that_doesnt_exist() -> None:
    with pytest.raises(TypeError, match="no option retry;"):
        task(retry=3)  # type: ignore[call-overload]


def test_retry() -> None:
    assert Retry().after is None
    error = Retry("busy", after=5)
    assert (str(error), error.reason, error.after) == ("busy", "busy", 5)
    for wrong in (-1, float("inf"), float("nan"), 1e9):
        with pytest.raises(ValueError, match="seconds"):
            Retry(after=wrong)


def test_the_current_context() -> None:
    with pytest.raises(RuntimeError, match="doesn't run in an attempt"):
        Context.current()
    with FakeContext(name="a").active() as ctx:
        assert Context.current() is ctx
