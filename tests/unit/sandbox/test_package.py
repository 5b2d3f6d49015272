from __future__ import annotations

import sandbox


def test_the_public_names_are_these() -> None:
    assert sorted(sandbox.__all__) == ["AsyncClient", "Client", "Context", "Retry", "Submission", "__version__", "task"]


def test_each_of_them_is_there() -> None:
    for name in sandbox.__all__:
        assert getattr(sandbox, name) is not None
        assert name in dir(sandbox)


def test_no_other_name_is() -> None:
    assert not hasattr(sandbox, "no_such_name")


def test_the_version_is_the_distributions() -> None:
    assert sandbox.__version__[0].isdigit()
