"""What is refused at the door, and in which words."""

from __future__ import annotations

import pytest

from sandbox.errors import BadArguments, InvalidInput, UnknownTaskName
from sandbox.service import admission
from tests.support.factories import make_new


def refused(**changes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        admission.check(make_new(**changes))
    return caught.value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "n" * 200},
        {"name": "Bücher zählen 🐑"},
        {"args": ' [1, {"a": null}] ', "kwargs": '\n{"a": [1]}'},
        {"args": "[123456789012345678901234567890]"},
        {"priority": 1_000_000},
        {"priority": -1_000_000},
        {"timeout_ms": admission.LONGEST_TIMEOUT_MS},
        {"not_before_ms": admission.LATEST_MS},
        {"idempotency_key": "k" * 200},
        {"labels": {f"label {number}": "x" * 1000 for number in range(64)}},
    ],
)
def test_what_is_taken(changes):
    admission.check(make_new(**changes))


@pytest.mark.parametrize("field", ["name", "domain", "queue"])
def test_words(field):
    assert refused(**{field: ""}).what == f"The {field} is empty"
    long = refused(**{field: "x" * 201})
    assert (long.what, long.why) == (f"The {field} is too long", "200 characters are the most")
    assert long.subject == "x" * 40 + "…"
    for text in ("a\nb", "a\0b", "\x1b[31m", "a\u202eb", "\ud800"):
        hidden = refused(**{field: text})
        assert hidden.what == f"The {field} has characters that can't be shown"
        assert hidden.subject.isprintable()


@pytest.mark.parametrize(
    ("text", "what", "why"),
    [
        ("", "The args are not JSON", "(line 1, column 1)"),
        ("[1,", "The args are not JSON", "(line 1, column 4)"),
        ("[NaN]", "The args are not JSON", "(line 1, column 2)"),
        ("[1]\n[2]", "The args are not JSON", "(line 2, column 1)"),
        ("{}", "The args have the wrong shape", "this is an object"),
        ('"x"', "The args have the wrong shape", "this is a string"),
        ("null", "The args have the wrong shape", "this is null"),
        ("true", "The args have the wrong shape", "this is true or false"),
        ("5", "The args have the wrong shape", "this is a number"),
        ("5.5", "The args have the wrong shape", "this is a number"),
    ],
)
def test_args_are_a_json_array(text, what, why):
    error = refused(args=text)
    assert isinstance(error, BadArguments)
    assert error.what == what
    assert why in error.why
    assert error.hint == 'give a JSON array, such as [1, "two"]'
    assert error.subject == text


def test_kwargs_are_a_json_object():
    error = refused(kwargs="[1]")
    assert isinstance(error, BadArguments)
    assert (error.what, error.why) == ("The kwargs have the wrong shape", "this is an array")
    assert error.hint == 'give a JSON object, such as {"depth": 2}'
    assert refused(kwargs="").what == "The kwargs are not JSON"


def test_a_long_input_is_shown_in_part():
    error = refused(args='["' + "x" * 5000)
    assert len(error.subject) <= 60
    assert error.subject.endswith("…")


@pytest.mark.parametrize("priority", [1_000_001, -1_000_001, 2**31])
def test_priority(priority):
    error = refused(priority=priority)
    assert (error.what, error.subject) == ("The priority is out of range", str(priority))


@pytest.mark.parametrize("timeout_ms", [-1, admission.LONGEST_TIMEOUT_MS + 1, 2**64 - 1])
def test_timeout(timeout_ms):
    error = refused(timeout_ms=timeout_ms)
    assert (error.what, error.subject) == ("The timeout is out of range", f"{timeout_ms} ms")


@pytest.mark.parametrize("not_before_ms", [-1, admission.LATEST_MS + 1])
def test_start_time(not_before_ms):
    assert refused(not_before_ms=not_before_ms).what == "The start time is out of range"


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_idempotency_key(key):
    assert refused(idempotency_key=key).what == "An idempotency key has 1 to 200 characters"


def test_labels():
    many = refused(labels={str(number): "" for number in range(65)})
    assert (many.what, many.why) == ("Too many labels", "65 of at most 64")
    assert refused(labels={"": "x"}).what == "The label name is empty"
    long = refused(labels={"zone": "x" * 1001})
    assert (long.what, long.subject, long.why) == (
        "The value of a label is too long",
        "zone",
        "1,000 characters are the most",
    )


# ── names ────────────────────────────────────────────────────────────────────────────────────────────


def not_asked():
    raise AssertionError("the task folders needn't be looked at")


def test_a_name_that_a_shepherd_offers_needs_no_look_into_the_folders():
    admission.check_name("render", {"render"}, not_asked, not_asked)


def test_where_a_shepherd_tells_no_names_nothing_is_refused():
    admission.check_name("anything", None, not_asked, not_asked)


def test_a_name_of_a_task_folder_is_known():
    admission.check_name("render", set(), lambda: ["render"], not_asked)


def test_a_name_that_is_nearly_right_gets_suggestions():
    with pytest.raises(UnknownTaskName) as caught:
        admission.check_name("rendr", {"render", "crop"}, lambda: ["rendered"], list)
    assert caught.value.subject == "rendr"
    assert caught.value.hint == "did you mean render or rendered?"
    assert caught.value.why == "3 names are known here, and this is none of them"


def test_a_name_that_is_like_nothing():
    with pytest.raises(UnknownTaskName) as caught:
        admission.check_name("zzz", {"render"}, list, list)
    assert caught.value.hint == "azolla-local ls --definitions shows what there is"
    with pytest.raises(UnknownTaskName) as caught:
        admission.check_name("zzz", set(), list, list)
    assert caught.value.why == "the task folders are empty"


def test_an_unknown_name_may_stand_in_a_file_that_cant_be_read():
    with pytest.raises(UnknownTaskName) as caught:
        admission.check_name("greet", {"render"}, list, lambda: ["tasks/b.py:1: no", "tasks/a.task:3: no"])
    assert caught.value.why.endswith("but a task file can't be read: tasks/a.task:3: no, and 1 more")
    assert caught.value.hint == "azolla-local validate FILE shows every mistake in it"
