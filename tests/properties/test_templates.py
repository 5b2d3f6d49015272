"""Name templates: refused, or one name for one attempt, and never a way out of the root."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from logsinks.errors import TemplateError
from logsinks.identity import AttemptIdentity
from logsinks.record import Stream
from logsinks.templates import Template
from logsinks.templates.escaping import ALPHABET, escaped, shortened

IDS = [f"019cec9c-4d07-8001-8000-00000000000{number}" for number in range(4)]
# Values that look like everything else in a name: ids, marks of retries, separators, numbers.
WORDS = st.one_of(
    st.sampled_from(
        ["", "a", "-", ".", "..", ".a2", "x.a2", "a2", "2", "1", "/", "../x", "=2E", "~", "x.", "x.a", *IDS]
    ),
    st.text(st.sampled_from("a2.-=~/ é\0") | st.characters(codec="utf-8"), max_size=8),
    st.lists(st.sampled_from(["a", "-", ".a2", "2", *IDS]), max_size=4).map("".join),
)
IDENTITIES = st.builds(
    AttemptIdentity,
    task_id=st.sampled_from([*IDS, "plain", "plain-2", "../up"]),
    attempt=st.integers(1, 23),
    task_name=WORDS,
    domain=WORDS,
    queue=WORDS,
    shepherd=st.sampled_from(["s", "s.a2"]),
    host=WORDS,
    started=st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive by contract
    labels=st.fixed_dictionaries({"x": WORDS}),
)
FIELDS = st.sampled_from([
    "{task_id}", "{attempt}", "{attempt:03d}", "{attempt_id}", "{task_name}", "{host}", "{queue}", "{domain}", "{date}",
    "{time:%H-%M}", "{started:%A}", "{started_ms}", "{hash2}", "{label.x}", "{task_id:.8}", "{host:.3}",
])  # fmt: skip
LITERALS = st.sampled_from(["-", ".", "/", "_", "a", "2", ".a", ".a2", "@", "-@-", " ", ".out", "=", "~", "a2", ""])
ENDS = st.sampled_from(["", "", "{task_id}", "{attempt_id}", "/{task_id}", "{task_id}/", "{task_id}-{attempt}"])
TEMPLATES = st.tuples(ENDS, st.lists(st.one_of(FIELDS, FIELDS, LITERALS), max_size=6).map("".join), ENDS).map("".join)


def accepted(text: str) -> Template:
    try:
        return Template.parse(text)
    except TemplateError:
        assume(False)
        raise


@given(TEMPLATES, IDENTITIES, IDENTITIES)
@example(
    "{task_id}-{host}",
    AttemptIdentity(
        task_id=IDS[0], attempt=1, task_name="", domain="", queue="", shepherd="", host="h.a2",
        started=datetime(2026, 1, 1, tzinfo=UTC), labels={},
    ),
    AttemptIdentity(
        task_id=IDS[0], attempt=2, task_name="", domain="", queue="", shepherd="", host="h",
        started=datetime(2026, 1, 1, tzinfo=UTC), labels={},
    ),
)  # fmt: skip
@settings(max_examples=600, deadline=None)
def test_two_attempts_never_share_a_name(text: str, first: AttemptIdentity, second: AttemptIdentity):
    template = accepted(text)
    if first.key != second.key:
        assert template.render(first) != template.render(second)
        assert template.render(first, Stream.OUT) != template.render(second, Stream.ERR)
    assert template.render(first, Stream.OUT) != template.render(first, Stream.ERR)


@given(TEMPLATES, IDENTITIES, st.integers(1, 23))
@settings(max_examples=300, deadline=None)
def test_attempts_of_one_task_never_share_a_name(text: str, first: AttemptIdentity, attempt: int):
    template = accepted(text)
    assume(first.attempt != attempt)
    other = AttemptIdentity.from_json(
        first.to_json().replace(b'"attempt":%d' % first.attempt, b'"attempt":%d' % attempt)
    )
    assert template.render(first) != template.render(other)


@given(TEMPLATES, IDENTITIES, st.integers(0, 3000))
@settings(max_examples=400, deadline=None)
def test_a_name_never_leaves_its_root(text: str, identity: AttemptIdentity, length: int):
    template = accepted(text)
    long = AttemptIdentity.from_json(identity.to_json())
    object.__setattr__(long, "task_name", identity.task_name + "ü" * length)
    for one in (identity, long):
        name = template.render(one)
        assert not name.startswith("/")
        assert name.count("/") == text.count("/")
        assert len(name.encode()) <= 1024
        for part in name.split("/"):
            assert part not in {"", ".", ".."}
            assert not part.startswith(".")
            assert "\0" not in part
            assert len(part.encode()) <= 240


@given(WORDS, st.integers(10, 40))
def test_escaping_stays_in_its_alphabet(value: str, limit: int):
    once = escaped(value)
    assert once
    assert ALPHABET.issuperset(once)
    cut = shortened(once, limit)
    assert len(cut) <= limit
    assert ALPHABET.issuperset(cut)


@given(WORDS, WORDS)
def test_different_values_stay_different(first: str, second: str):
    import unicodedata

    one, other = (unicodedata.normalize("NFC", value) or "-" for value in (first, second))
    assert (escaped(first) == escaped(second)) == (one == other)
