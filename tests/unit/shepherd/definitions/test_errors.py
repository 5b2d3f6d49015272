from __future__ import annotations

import inspect

from shepherd import errors


def test_every_error_has_its_own_code_and_says_when_it_is_raised() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ShepherdError)]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes) > 8
    assert all(kind.__doc__ for kind in kinds)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)


def test_a_task_file_error_names_the_place_and_the_way_out() -> None:
    error = errors.TaskFileError("no such key", file="a.task", line=3, key="Nam", expected="Name", nearest="Name")
    assert (error.subject, error.why, error.hint) == ("a.task:3", "expected Name", "write Name")


def test_an_unavailable_tier_says_what_is_missing() -> None:
    error = errors.TierUnavailable("jail", missing="no bubblewrap", hint="install it", remaining=["process"])
    assert (error.subject, error.why, error.hint, error.remaining) == (
        "jail",
        "no bubblewrap",
        "install it",
        ("process",),
    )
