from __future__ import annotations

from datetime import timedelta
from importlib.metadata import entry_points

import pytest

from logsinks.errors import SinkUrlError, TemplateError, UnknownSink
from logsinks.registry import _OURS, GROUP, open_sink
from logsinks.sink_url import SinkUrl


def test_parts_and_options():
    url = SinkUrl.parse("s3://me:pass@host:9000/bucket/a%20b?template={date}/{task_id}&keep=30d&size=10G")
    assert (url.scheme, url.host, url.user, url.password, url.path) == ("s3", "host:9000", "me", "pass", "/bucket/a b")
    assert url.options["template"] == "{date}/{task_id}"
    assert url.duration("keep") == timedelta(days=30)
    assert url.size("size") == 10 << 30
    assert url.duration("other") is None


def test_secrets_are_not_shown():
    shown = str(SinkUrl.parse("s3://me:hunter2@host/b?secret_key=abc&region=x"))
    assert "hunter2" not in shown
    assert "abc" not in shown
    assert "region=x" in shown


@pytest.mark.parametrize("text", ["/var/log", "", "file:///a?x=1&x=2", "s3://host:notaport/"])
def test_what_is_no_url_is_refused(text: str):
    with pytest.raises(SinkUrlError):
        SinkUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("file:///a?templat={task_id}", "template"),
        ("file:///a?keep=soon", "30d"),
        ("file:///a?max_size=big", "10G"),
        ("file://elsewhere/a", "file:///"),
        ("file:relative", "file:///"),
        ("stdout:?format=xml", "json"),
        ("stdout:///somewhere", "stdout:"),
    ],
)
def test_wrong_options_say_what_helps(text: str, hint: str):
    with pytest.raises(SinkUrlError) as caught:
        open_sink(text, "a")
    assert hint in caught.value.hint


def test_our_sinks_are_offered_as_any_other():
    """They are found without a search; the entry points say the same, for whoever lists them."""
    offered = {point.name: point for point in entry_points(group=GROUP)}
    for scheme, (module, name) in _OURS.items():
        assert offered[scheme].value == f"{module}:{name}"
        assert offered[scheme].load().__name__ == name


def test_a_wrong_template_is_told_when_the_sink_is_made():
    with pytest.raises(TemplateError):
        open_sink("file:///a?template={date}", "a")


def test_an_unknown_scheme_names_those_that_are_there():
    with pytest.raises(UnknownSink) as caught:
        open_sink("carrier-pigeon://roof", "a")
    assert "file" in caught.value.hint
    assert "stdout" in caught.value.hint
