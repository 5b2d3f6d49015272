from __future__ import annotations

from datetime import UTC, datetime

import pytest

from logsinks.errors import NameCollision, TemplateError, UnknownField
from logsinks.identity import AttemptIdentity
from logsinks.record import Stream
from logsinks.templates import DEFAULT_TEMPLATE, FIELDS, Template

ID = "019cec9c-4d07-8001-8000-0000deadbeef"


def identity(**changes: object) -> AttemptIdentity:
    fields: dict[str, object] = {
        "task_id": ID, "attempt": 1, "task_name": "report", "domain": "d", "queue": "q", "shepherd": "s", "host": "h",
        "started": datetime(2026, 3, 14, 15, 9, 26, 535000, tzinfo=UTC), "labels": {"team": "x y"},
    }  # fmt: skip
    return AttemptIdentity(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (DEFAULT_TEMPLATE, f"20260314/report/20260314-150926-report-{ID}"),
        ("{date}-{time}-{task name}-{task id}", f"20260314-150926-report-{ID}"),
        ("{attempt_id}", f"{ID}-1"),
        ("{task_id}.{attempt:03d}", f"{ID}.001"),
        ("{date:%Y}/{date:%m}/{task_id}", f"2026/03/{ID}"),
        ("{{x}}-{task_id}", f"{{x}}-{ID}"),
        ("{label.team}@{task_id}", f"x=20y@{ID}"),
        ("{label.none}@{task_id}", f"-@{ID}"),
        ("{started_ms}-{task_id}", f"1773500966535-{ID}"),
        ("{started}/{task_id}", f"20260314T150926Z/{ID}"),
    ],
)
def test_rendering(text: str, name: str):
    assert Template.parse(text).render(identity()) == name


def test_retries_get_a_mark_where_the_template_has_none():
    assert Template.parse("{task_id}").render(identity(attempt=3)) == f"{ID}.a3"
    assert Template.parse("{task_id}-{attempt}").render(identity(attempt=3)) == f"{ID}-3"
    # Between two values the number can't be told: it counts as not named.
    assert Template.parse("{task_id}{attempt}{host}").render(identity(attempt=3)).endswith(".a3")


def test_streams_apart():
    assert Template.parse("{task_id}").render(identity(attempt=2), Stream.ERR) == f"{ID}.a2.err"


@pytest.mark.parametrize(
    "text", ["{date}", "{task_name}-{task_id}-{queue}", "{hash4}", "{task_id:.8}-{attempt}", "{label.x}{task_id}{host}"]
)
def test_a_collision_comes_with_two_examples(text: str):
    with pytest.raises(NameCollision) as caught:
        Template.parse(text)
    assert caught.value.first != caught.value.second
    assert caught.value.name in caught.value.why
    assert "{task_id}" in caught.value.hint


def test_a_border_that_no_value_holds_divides():
    assert Template.parse("{task_name}@{task_id}@{queue}").render(identity()) == f"report@{ID}@q"


def test_what_cant_be_proved_is_refused():
    with pytest.raises(TemplateError) as caught:
        Template.parse("{task_name}{task_id}{task_name}")
    assert "{task_id}" in caught.value.hint


def test_an_unknown_field_has_a_nearest():
    with pytest.raises(UnknownField) as caught:
        Template.parse("{taskid}")
    assert "{task_id}" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "", "/{task_id}", "{task_id}/", "a//{task_id}", "../{task_id}", ".parts/{task_id}", "{task_id", "}", "{task_id!r}",
        "{date:%Y/%m}-{task_id}", "{attempt:x}-{task_id}", "{host:3}-{task_id}", "a\\b{task_id}", "a\n{task_id}",
        "x" * 300 + "{task_id}", "{}-{task_id}", "{label.}-{task_id}",
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused(text: str):
    with pytest.raises(TemplateError):
        Template.parse(text)


def test_every_field_is_explained_and_its_example_true():
    shown = identity(task_name="render-report", domain="default", queue="default", shepherd="local", host="laptop")
    for name, field in FIELDS.items():
        assert field.meaning
        if not name.startswith("hash"):
            assert Template.parse(f"{{{name}}}/{{task_id}}").render(shown).removesuffix(f"/{ID}") in {
                field.example,
                field.example,
            }
