"""Request bodies: what is taken, what it becomes, and which words a mistake gets."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sandbox.api.rest.bodies import FIELDS, batch_of_tasks, one_task
from sandbox.api.rest.problems import BodyTooLarge, NotJson
from sandbox.api.rest.schemas import NewTaskBody
from sandbox.errors import InvalidInput
from sandbox.model import exact_json


def one(body: dict[str, Any]) -> Any:
    return one_task(orjson.dumps({"name": "add", **body}), None)


def test_a_bare_name_is_enough() -> None:
    new = one({})
    assert (new.name, new.args, new.kwargs, new.domain, new.queue) == ("add", "[]", "{}", "default", "default")
    assert (new.priority, new.timeout_ms, new.not_before_ms, new.retry_policy, new.labels) == (0, 0, 0, None, {})


def test_every_field_arrives() -> None:
    new = one(
        {
            "args": [1, "zwei"],
            "kwargs": {"a": None},
            "domain": "d",
            "queue": "q",
            "priority": -3,
            "timeout": 1.5,
            "not_before": "2030-01-01T00:00:00Z",
            "labels": {"k": "v"},
            "idempotency_key": "once",
            "retry_policy": {"stop": {"max_attempts": 2}},
        }
    )
    assert (new.args, new.kwargs, new.domain, new.queue) == ('[1,"zwei"]', '{"a":null}', "d", "q")
    assert (new.priority, new.timeout_ms, new.not_before_ms) == (-3, 1500, 1_893_456_000_000)
    assert (new.labels, new.idempotency_key, new.retry_policy.max_attempts) == ({"k": "v"}, "once", 2)


def test_the_description_has_the_same_fields_as_the_reader() -> None:
    assert set(NewTaskBody.model_fields) == FIELDS


def test_key_of_the_header_counts_where_the_body_has_none() -> None:
    assert one_task(b'{"name":"add"}', "h").idempotency_key == "h"
    assert one_task(b'{"name":"add","idempotency_key":"b"}', "h").idempotency_key == "b"


@pytest.mark.parametrize(
    "number",
    ["9007199254740993", "18446744073709551615", "18446744073709551616", "-170141183460469231731687303715884105729"],
)
def test_integers_of_any_size_stay_exact(number: str) -> None:
    assert one_task(f'{{"name":"add","args":[{number}]}}'.encode(), None).args == f"[{number}]"


def test_long_digits_in_text_change_nothing() -> None:
    body = {"name": "add", "args": ["12345678901234567890123", 1.5, True, None, "ü\ud83d\ude00"]}
    document = '{"name":"add","args":["12345678901234567890123",1.5,true,null,"ü😀"]}'.encode()
    assert orjson.loads(one_task(document, None).args) == [*body["args"][:4], "ü😀"]  # type: ignore[index]


def test_what_only_the_standard_library_takes_is_refused() -> None:
    with pytest.raises(NotJson):
        one_task(b'{"name":"add","args":[12345678901234567890, NaN]}', None)


def test_deep_nesting_is_kept_and_absurd_nesting_refused() -> None:
    deep = exact_json.loads(b"[" * 500 + b"]" * 500)
    assert exact_json.dumps(deep) == "[" * 500 + "]" * 500


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"args": {}}, "args must be a JSON array"),
        ({"args": "x"}, "args must be a JSON array"),
        ({"kwargs": []}, "kwargs must be a JSON object"),
        ({"name": ""}, "name must be a string, and not empty"),
        ({"name": 5}, "name must be a string, and not empty"),
        ({"priority": 1.5}, "priority must be a whole number of 32 bits"),
        ({"priority": True}, "priority must be a whole number of 32 bits"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"timeout": "5s"}, "timeout must be a number of seconds above 0"),
        ({"not_before": "tomorrow"}, "not_before is no time in ISO 8601, such as 2030-01-31T08:00:00Z"),
        ({"not_before": "2030-01-31T08:00:00"}, "not_before must say its zone, such as Z or +01:00"),
        ({"labels": {"a": 1}}, "labels must be a JSON object with strings as values"),
        ({"queue": ""}, "queue must be a string, and not empty"),
        ({"retry_policy": {"stop": {"max_attempts": 0}}}, "retry_policy is wrong"),
        ({"argz": []}, "argz is unknown"),
    ],
)
def test_mistakes_name_the_field(body: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        one(body)
    assert caught.value.what == what


def test_unknown_fields_get_the_nearest_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        one({"argz": []})
    assert caught.value.hint == "did you mean 'args'?"


def test_mistakes_in_a_batch_name_the_index() -> None:
    tasks: list[Any] = [{"name": "add"}] * 20
    tasks[17] = {"name": "add", "args": 5}
    with pytest.raises(InvalidInput, match=r"tasks\[17\]\.args must be a JSON array"):
        batch_of_tasks(orjson.dumps({"tasks": tasks}), lines=False)


def test_mistakes_in_lines_name_the_line() -> None:
    with pytest.raises(InvalidInput, match="line 3: args must be a JSON array"):
        batch_of_tasks(b'{"name":"add"}\n\n{"name":"add","args":5}\n', lines=True)
    with pytest.raises(NotJson, match="Line 2 is not JSON"):
        batch_of_tasks(b'{"name":"add"}\n{"name"\n', lines=True)


def test_batches_have_bounds() -> None:
    with pytest.raises(BodyTooLarge):
        batch_of_tasks(orjson.dumps({"tasks": [{"name": "a"}] * 10_001}), lines=False)
    with pytest.raises(BodyTooLarge):
        batch_of_tasks(b'{"name":"a"}\n' * 10_001, lines=True)
    with pytest.raises(InvalidInput, match="no tasks"):
        batch_of_tasks(b'{"tasks":[]}', lines=False)
    with pytest.raises(InvalidInput, match="must be a JSON object"):
        batch_of_tasks(b"[]", lines=False)
    assert len(batch_of_tasks(b'{"name":"a"}\n' * 10_000, lines=True)) == 10_000


def test_broken_json_says_where() -> None:
    with pytest.raises(NotJson) as caught:
        one_task(b'{"name": "add",\n "args": [1,}', None)
    assert caught.value.subject == "line 2, column 13"
