from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from sandbox import Context
from sandbox.testing import FakeContext


def test_it_is_a_context_that_remembers() -> None:
    ctx = FakeContext(name="render", attempt=2, labels={"team": "docs"})
    assert isinstance(ctx, Context)
    assert (ctx.name, ctx.attempt, ctx.labels) == ("render", 2, {"team": "docs"})
    ctx.heartbeat("half")
    ctx.heartbeat("x" * 5000)
    assert ctx.heartbeats == ["half", "x" * 1000]


def test_deadline() -> None:
    assert (FakeContext().deadline, FakeContext().remaining) == (None, None)
    ctx = FakeContext(time_left=timedelta(hours=1))
    assert ctx.deadline is not None
    assert ctx.deadline.tzinfo is not None
    assert ctx.remaining is not None
    assert ctx.remaining > 0
    assert FakeContext(time_left=timedelta(seconds=-5)).remaining == 0


def test_cancel() -> None:
    ctx = FakeContext()
    assert not ctx.cancelled
    ctx.cancel()
    assert ctx.cancelled


def test_the_work_folder_lives_as_long_as_the_context_is_active() -> None:
    with FakeContext().active() as ctx:
        folder = ctx.work_folder
        assert folder.is_dir()
        assert ctx.work_folder == folder
    assert not folder.exists()


def test_the_logger_prints_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    FakeContext(name="render").logger.info("page %s", 1)
    assert capsys.readouterr().err.endswith("INFO page 1\n")


def test_a_context_stays_where_it_is() -> None:
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(FakeContext())
