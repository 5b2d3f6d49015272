"""Request bodies of tasks, read by hand: tens of thousands of tasks a second come through here.

The input of a task is kept as JSON text, made anew from what was read: blanks go, numbers stay what they are
(see `exact_json`). Every mistake is told with the place of the value in the body: `tasks[17].args`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn, TypeGuard

from starlette.requests import Request

from sandbox.api.rest.problems import BodyTooLarge, NotJson
from sandbox.errors import BadArguments, InvalidInput
from sandbox.model import exact_json
from sandbox.model.retry_policy import RetryPolicy
from sandbox.model.task import DEFAULT_DOMAIN, DEFAULT_QUEUE, NewTask

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_BATCH = 10_000

FIELDS = frozenset(
    {
        "name",
        "args",
        "kwargs",
        "domain",
        "queue",
        "retry_policy",
        "priority",
        "timeout",
        "not_before",
        "labels",
        "idempotency_key",
    }
)
_LONGEST_TIMEOUT_S = 10 * 365 * 86_400
_NO_LABELS: dict[str, str] = {}


async def read_body(request: Request) -> bytes:
    """The whole body. BodyTooLarge beyond 64 MiB."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(
                f"The body is larger than {MAX_BODY_BYTES >> 20} MiB", hint="send the tasks in smaller batches"
            )
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_json(body: bytes, where: str = "the body") -> Any:
    """A JSON document; InvalidInput that says where it breaks off."""
    try:
        return exact_json.loads(body)
    except ValueError as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        place = f"line {line}, column {column}" if line else ""
        message = getattr(error, "msg", str(error))
        raise NotJson(f"{where[:1].upper()}{where[1:]} is not JSON", subject=place, why=message) from error


def read_object(body: bytes, fields: frozenset[str]) -> dict[str, Any]:
    """A JSON object with none but these fields; an empty body is an empty object."""
    value: Any = read_json(body) if body.strip() else {}
    if not _is_object(value):
        raise InvalidInput("The body must be a JSON object", subject=_kind(value))
    _known_fields(value, "", fields)
    return value


def one_task(body: bytes, idempotency_key: str | None) -> NewTask:
    """The task of a body; `idempotency_key` is that of the header, which wins over none in the body."""
    return BodyReader().task(read_json(body), "", idempotency_key)


def batch_of_tasks(body: bytes, *, lines: bool) -> list[NewTask]:
    """The tasks of `{"tasks": […]}`, or with `lines` of one JSON object a line. 1 to 10,000."""
    reader = BodyReader()
    if lines:
        tasks = [reader.task(value, where) for where, value in _json_lines(body)]
    else:
        value: Any = read_json(body)
        if not _is_object(value) or not _is_array(value.get("tasks")):
            raise InvalidInput('The body must be a JSON object {"tasks": […]}', subject=_kind(value))
        _known_fields(value, "", frozenset({"tasks"}))
        given: list[Any] = value["tasks"]
        _check_count(len(given))
        tasks = [reader.task(item, f"tasks[{at}]") for at, item in enumerate(given)]
    _check_count(len(tasks))
    return tasks


class BodyReader:
    """Reads the tasks of one body; equal retry policies are read once."""

    def __init__(self) -> None:
        self._policies: dict[str, RetryPolicy] = {}

    def task(self, value: Any, where: str, idempotency_key: str | None = None) -> NewTask:
        """The task of a JSON object. `where`: its place in the body, empty for the body itself."""
        if not _is_object(value):
            raise BadArguments(f"{where or 'The body'} must be a JSON object", subject=_kind(value))
        if not value.keys() <= FIELDS:
            _known_fields(value, where, FIELDS)
        get = value.get
        name: Any = get("name")
        if type(name) is not str or not name:
            _wrong(where, "name", "must be a string, and not empty", name)
        args: Any = get("args")
        if args is None:
            args_text = "[]"
        elif type(args) is list:
            args_text = _dump(args, where, "args")
        else:
            _wrong(where, "args", "must be a JSON array", args)
        kwargs: Any = get("kwargs")
        if kwargs is None:
            kwargs_text = "{}"
        elif type(kwargs) is dict:
            kwargs_text = _dump(kwargs, where, "kwargs") if kwargs else "{}"
        else:
            _wrong(where, "kwargs", "must be a JSON object", kwargs)
        policy = get("retry_policy")
        key = get("idempotency_key")
        if key is None:
            key = idempotency_key
        elif type(key) is not str or not key:
            _wrong(where, "idempotency_key", "must be a string, and not empty", key)
        return NewTask(
            name=name,
            domain=_word(value, where, "domain", DEFAULT_DOMAIN),
            queue=_word(value, where, "queue", DEFAULT_QUEUE),
            args=args_text,
            kwargs=kwargs_text,
            retry_policy=None if policy is None else self._policy(policy, where),
            priority=_priority(get("priority"), where),
            timeout_ms=_timeout_ms(get("timeout"), where),
            not_before_ms=_time_ms(get("not_before"), where),
            idempotency_key=key,
            labels=_labels(get("labels"), where),
        )

    def _policy(self, value: Any, where: str) -> RetryPolicy:
        text = repr(value)
        known = self._policies.get(text)
        if known is None:
            try:
                known = RetryPolicy.from_dict(value)
            except ValueError as error:
                raise InvalidInput(f"{_place(where, 'retry_policy')} is wrong", why=str(error)) from error
            self._policies[text] = known
        return known


def _word(value: dict[str, Any], where: str, field: str, default: str) -> str:
    given = value.get(field)
    if given is None:
        return default
    if type(given) is not str or not given:
        _wrong(where, field, "must be a string, and not empty", given)
    return given


def _priority(given: Any, where: str) -> int:
    if given is None:
        return 0
    if type(given) is not int or not -(2**31) <= given < 2**31:
        _wrong(where, "priority", "must be a whole number of 32 bits", given)
    return given


def _timeout_ms(given: Any, where: str) -> int:
    if given is None:
        return 0
    if type(given) not in {int, float} or not 0 < given <= _LONGEST_TIMEOUT_S:
        _wrong(where, "timeout", "must be a number of seconds above 0", given)
    return max(1, round(given * 1000))


def _time_ms(given: Any, where: str) -> int:  # noqa: RET503 - the last line never returns
    if given is None:
        return 0
    if type(given) is int and 0 <= given < 2**53:
        return given
    if type(given) is str:
        try:
            time = datetime.fromisoformat(given)
        except ValueError:
            _wrong(where, "not_before", "is no time in ISO 8601, such as 2030-01-31T08:00:00Z", given)
        if time.tzinfo is None:
            _wrong(where, "not_before", "must say its zone, such as Z or +01:00", given)
        return max(0, round(time.timestamp() * 1000))
    _wrong(where, "not_before", "must be a time in ISO 8601, or Unix milliseconds", given)


def _labels(given: Any, where: str) -> dict[str, str]:
    if given is None:
        return _NO_LABELS
    if not _is_object(given) or not all(type(text) is str for text in given.values()):
        _wrong(where, "labels", "must be a JSON object with strings as values", given)
    return given


def _dump(value: Any, where: str, field: str) -> str:
    try:
        return exact_json.dumps(value)
    except ValueError as error:
        raise BadArguments(f"{_place(where, field)} can't be kept as JSON", why=str(error)) from error


def _json_lines(body: bytes) -> Iterator[tuple[str, Any]]:
    count = 0
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        count += 1
        if count > MAX_BATCH:
            _check_count(count)
        where = f"line {number}"
        yield where, read_json(line, where)


def _check_count(count: int) -> None:
    if count == 0:
        raise InvalidInput("There are no tasks in the body")
    if count > MAX_BATCH:
        raise BodyTooLarge(f"A batch holds at most {MAX_BATCH:,} tasks, this one has more", hint="send several batches")


def _known_fields(value: dict[str, Any], where: str, fields: frozenset[str]) -> None:
    for field in value:
        if field not in fields:
            near = difflib.get_close_matches(field, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(fields))}"
            raise InvalidInput(f"{_place(where, field)} is unknown", subject=field, hint=hint)


def _wrong(where: str, field: str, rule: str, given: Any) -> NoReturn:
    raise BadArguments(f"{_place(where, field)} {rule}", why=f"it is {_kind(given)}")


def _place(where: str, field: str) -> str:
    if not where:
        return field
    return f"{where}: {field}" if where.startswith("line ") else f"{where}.{field}"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return type(value) is list


def _kind(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a JSON object"
    if isinstance(value, list):
        return "a JSON array"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    return f"the number {value}"
