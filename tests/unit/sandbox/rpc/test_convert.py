"""Wire messages to our words and back."""

from __future__ import annotations

import json
import math

import pytest

from sandbox.api.rpc import convert
from sandbox.errors import InvalidInput
from sandbox.model.retry_policy import DEFAULT, RetryPolicy, WaitStrategy
from sandbox.model.status import AttemptOutcome, TaskStatus
from shepherd.wire import messages as wire
from tests.support.factories import SHEPHERD, make_ended, make_live, task_id

# ── creation ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_creation_has_azollas_defaults():
    new = convert.new_task(wire.CreateTaskRequest(name="render", domain="default", args="[1]", kwargs="{}"))
    assert (new.name, new.domain, new.queue, new.args, new.kwargs) == ("render", "default", "default", "[1]", "{}")
    assert (new.retry_policy, new.idempotency_key, new.flow_id, new.labels) == (None, None, None, {})
    assert (new.priority, new.timeout_ms, new.not_before_ms) == (0, 0, 0)


def test_every_field_of_a_creation_arrives():
    request = wire.CreateTaskRequest(
        name="render",
        domain="d",
        args="[]",
        kwargs="{}",
        shepherd_group="gpu",
        flow_instance_id="6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
        idempotency_key="k",
        priority=-3,
        timeout_ms=5,
        not_before_ms=7,
        labels={"a": "b"},
        retry_policy=wire.RetryPolicy(version=1),
    )
    new = convert.new_task(request)
    assert (new.queue, new.flow_id) == ("gpu", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
    assert (new.idempotency_key, new.priority, new.timeout_ms, new.not_before_ms) == ("k", -3, 5, 7)
    assert new.labels == {"a": "b"}
    assert new.retry_policy == DEFAULT


def test_an_empty_idempotency_key_was_given_and_an_absent_one_was_not():
    assert convert.new_task(wire.CreateTaskRequest(idempotency_key="")).idempotency_key == ""
    assert convert.new_task(wire.CreateTaskRequest()).idempotency_key is None


def test_a_flow_id_that_is_no_uuid_is_refused():
    with pytest.raises(InvalidInput) as caught:
        convert.new_task(wire.CreateTaskRequest(flow_instance_id="workflow-123"))
    assert (caught.value.what, caught.value.subject) == ("The flow id is no UUID", "workflow-123")


# ── retry policies ───────────────────────────────────────────────────────────────────────────────────


def policy(**fields) -> RetryPolicy:
    return convert.retry_policy(wire.RetryPolicy(version=1, **fields))


def test_an_empty_policy_is_azollas_default():
    assert policy() == DEFAULT
    assert (DEFAULT.max_attempts, DEFAULT.max_elapsed, DEFAULT.include_errors) == (5, None, ("ValueError",))
    assert (DEFAULT.strategy, DEFAULT.initial_delay, DEFAULT.multiplier, DEFAULT.max_delay) == (
        WaitStrategy.EXPONENTIAL_JITTER,
        1.0,
        2.0,
        300.0,
    )


def test_stop_without_max_attempts_is_no_cap():
    assert policy(stop={}).max_attempts is None
    assert policy(stop={"max_delay": 30.0}).max_elapsed == 30.0
    assert policy(stop={"max_attempts": 2}).max_attempts == 2
    assert policy(stop={"max_attempts": 2}).max_elapsed is None


def test_wait_without_a_kind_is_jitter():
    assert policy(wait={}) == DEFAULT


def test_the_three_waits():
    fixed = policy(wait={"fixed": {"delay": 2.5}})
    assert (fixed.strategy, fixed.delay) == (WaitStrategy.FIXED, 2.5)
    assert policy(wait={"fixed": {}}).delay == 0.0
    grows = {"initial_delay": 2.0, "multiplier": 1.5, "max_delay": 9.0}
    for kind in (WaitStrategy.EXPONENTIAL, WaitStrategy.EXPONENTIAL_JITTER):
        found = policy(wait={kind.value: grows})
        assert (found.strategy, found.initial_delay, found.multiplier, found.max_delay) == (kind, 2.0, 1.5, 9.0)


def test_retry_present_and_empty_retries_nothing():
    assert policy(retry={}).include_errors == ()
    found = policy(retry={"include_errors": ["A", "B"], "exclude_errors": ["C"]})
    assert (found.include_errors, found.exclude_errors) == (("A", "B"), ("C",))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"stop": {"max_attempts": 0}}, "stop.max_attempts must be at least 1"),
        ({"stop": {"max_delay": -1.0}}, "stop.max_delay must be a number of seconds, 0 or more"),
        ({"stop": {"max_delay": math.inf}}, "stop.max_delay must be a number of seconds, 0 or more"),
        ({"stop": {"max_delay": math.nan}}, "stop.max_delay must be a number of seconds, 0 or more"),
        ({"wait": {"exponential": {}}}, "wait.multiplier must be at least 1, it is 0"),
        ({"wait": {"exponential": {"multiplier": math.nan}}}, "wait.multiplier must be at least 1, it is nan"),
        ({"wait": {"fixed": {"delay": -1.0}}}, "wait.delay must lie between 0 and 31622400 seconds, it is -1"),
        ({"wait": {"fixed": {"delay": 1e300}}}, "wait.delay must lie between 0 and 31622400 seconds, it is 1e+300"),
        (
            {"wait": {"exponential_jitter": {"initial_delay": math.nan, "multiplier": 2.0}}},
            "wait.initial_delay must lie between 0 and 31622400 seconds, it is nan",
        ),
    ],
)
def test_a_policy_that_cant_be_is_refused_with_the_field(message, why):
    with pytest.raises(InvalidInput) as caught:
        policy(**message)
    assert (caught.value.what, caught.value.why) == ("The retry policy can't be", why)


@pytest.mark.parametrize("version", [0, 2, 257])
def test_only_version_one_is_known(version):
    with pytest.raises(InvalidInput) as caught:
        convert.retry_policy(wire.RetryPolicy(version=version))
    assert caught.value.subject == str(version)


# ── ids ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
        "6ba7b8109dad11d180b400c04fd430c8",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ],
)
def test_a_task_id_in_any_spelling(text):
    assert convert.task_id(text) == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.mark.parametrize("text", ["", "x", "6ba7b810", "é" * 500])
def test_what_is_no_task_id(text):
    with pytest.raises(InvalidInput, match="The task id is no UUID") as caught:
        convert.task_id(text)
    assert len(caught.value.subject) <= 80


# ── results ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (wire.AnyValue(string_value='a "b"'), '"a \\"b\\""'),
        (wire.AnyValue(string_value=""), '""'),
        (wire.AnyValue(int_value=-5), "-5"),
        (wire.AnyValue(int_value=2**53 + 1), "9007199254740993"),
        (wire.AnyValue(int_value=-(2**63)), "-9223372036854775808"),
        (wire.AnyValue(uint_value=2**64 - 1), "18446744073709551615"),
        (wire.AnyValue(double_value=0.1), "0.1"),
        (wire.AnyValue(double_value=5.0), "5.0"),
        (wire.AnyValue(double_value=math.nan), "null"),
        (wire.AnyValue(double_value=math.inf), "null"),
        (wire.AnyValue(bool_value=True), "true"),
        (wire.AnyValue(bool_value=False), "false"),
        (wire.AnyValue(json_value='{"a": [1, null]}'), '{"a": [1, null]}'),
        (wire.AnyValue(json_value="123456789012345678901234567890"), "123456789012345678901234567890"),
        (wire.AnyValue(json_value="not json"), '"not json"'),
        (wire.AnyValue(json_value="NaN"), '"NaN"'),
        (wire.AnyValue(json_value=""), '""'),
        (wire.AnyValue(), "null"),
    ],
)
def test_a_workers_result_as_json(value, text):
    assert convert.json_text(value) == text
    json.loads(text)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ('"a\\u0000b"', "string_value", "a\0b"),
        ("true", "bool_value", True),
        ("false", "bool_value", False),
        ("5", "int_value", 5),
        ("9007199254740993", "int_value", 2**53 + 1),
        ("-9223372036854775808", "int_value", -(2**63)),
        ("9223372036854775807", "int_value", 2**63 - 1),
        ("9223372036854775808", "uint_value", 2**63),
        ("18446744073709551615", "uint_value", 2**64 - 1),
        ("18446744073709551616", "json_value", "18446744073709551616"),
        ("-9223372036854775809", "json_value", "-9223372036854775809"),
        (" 18446744073709551617 ", "json_value", " 18446744073709551617 "),
        ("0.5", "double_value", 0.5),
        ("1e300", "double_value", 1e300),
        ("5.0", "double_value", 5.0),
        ("null", "json_value", "null"),
        ("[1, 2]", "json_value", "[1, 2]"),
        ('{"n": 123456789012345678901234567890}', "json_value", '{"n": 123456789012345678901234567890}'),
    ],
)
def test_a_result_as_azollas_clients_expect_it(text, kind, value):
    message = convert.any_value(text)
    assert message.WhichOneof("value") == kind
    assert getattr(message, kind) == value


def test_a_json_five_from_azollas_python_worker_comes_back_as_an_integer():
    assert convert.any_value(convert.json_text(wire.AnyValue(json_value="5"))).int_value == 5


def test_the_answer_to_a_wait_for_a_success():
    answer = convert.wait_answer(make_ended(result="[1]"))
    assert answer.status_code == wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_COMPLETED
    assert answer.WhichOneof("result_type") == "success"
    assert answer.success.result.json_value == "[1]"
    assert convert.wait_answer(make_ended(result=None)).success.result.json_value == "null"


@pytest.mark.parametrize(
    "status", [status for status in TaskStatus if status.ended and status is not TaskStatus.SUCCEEDED]
)
def test_the_answer_to_a_wait_for_anything_else_is_an_error(status):
    ended = make_ended(status=status, result=None, error_type="E", error_message="m", error_data="", retriable=True)
    answer = convert.wait_answer(ended)
    assert answer.status_code == wire.WaitForTaskStatus.WAIT_FOR_TASK_STATUS_COMPLETED
    assert (answer.error.type, answer.error.message, answer.error.data, answer.error.retriable) == (
        "E",
        "m",
        "{}",
        True,
    )


# ── shepherds ────────────────────────────────────────────────────────────────────────────────────────


def test_the_hello_of_an_azolla_shepherd():
    info = convert.shepherd_info(
        wire.Hello(shepherd_uuid=SHEPHERD.upper(), max_concurrency=4, domain="default", shepherd_group="gpu")
    )
    assert (info.shepherd_id, info.queue, info.domain, info.window) == (SHEPHERD, "gpu", "default", 4)
    assert not info.speaks_extensions
    assert (info.all_domains, info.epoch, list(info.standing)) == (False, 0, [])


def test_an_azolla_shepherd_without_group_or_places():
    info = convert.shepherd_info(wire.Hello(shepherd_uuid=SHEPHERD, domain="default", window=99))
    assert (info.queue, info.window) == ("default", 1)


def test_the_hello_of_ours():
    info = convert.shepherd_info(
        wire.Hello(
            shepherd_uuid=SHEPHERD,
            max_concurrency=4,
            protocol_version=1,
            window=64,
            epoch=3,
            all_domains=True,
            standing=[wire.AttemptKey(task_id=task_id(1), attempt=2)],
            labels={"zone": "a"},
            host="here",
            pid=7,
            version="0.1",
        )
    )
    assert (info.speaks_extensions, info.window, info.epoch, info.all_domains) == (True, 64, 3, True)
    assert list(info.standing) == [(task_id(1), 2)]
    assert (info.labels, info.host, info.pid, info.version) == ({"zone": "a"}, "here", 7, "0.1")


def test_a_window_is_no_smaller_than_the_places():
    info = convert.shepherd_info(wire.Hello(shepherd_uuid=SHEPHERD, max_concurrency=4, protocol_version=1, window=2))
    assert info.window == 4


def test_a_shepherd_without_a_uuid_is_refused():
    with pytest.raises(InvalidInput, match="The shepherd's id is no UUID"):
        convert.shepherd_info(wire.Hello(shepherd_uuid="me"))


def test_offers_with_and_without_policies():
    offers = convert.offers(
        [wire.TaskOffer(name="a"), wire.TaskOffer(name="b", retry_policy=wire.RetryPolicy(version=1, retry={}))]
    )
    assert offers["a"] is None
    assert offers["b"] == RetryPolicy(include_errors=())
    with pytest.raises(InvalidInput):
        convert.offers([wire.TaskOffer(name="a", retry_policy=wire.RetryPolicy())])


def test_an_assignment_carries_what_both_kinds_of_shepherds_need():
    task = make_live(args="[1]", kwargs='{"a":2}', timeout_ms=9, labels={"a": "b"}, attempt=3)
    message = convert.assignment(task)
    assert (message.task_id, message.name, message.args, message.kwargs) == (task_id(1), "render", "[1]", '{"a":2}')
    assert (message.attempt, message.domain, message.queue, message.timeout_ms) == (3, "default", "default", 9)
    assert dict(message.labels) == {"a": "b"}
    assert message.created_ms == task.created_ms
    assert not convert.assignment(make_live()).labels


def test_a_result_of_an_azolla_shepherd_counts_for_the_attempt_it_was_sent():
    good = convert.attempt_result(
        wire.TaskResult(task_id="t", success=wire.SuccessResult(result=wire.AnyValue(int_value=5))), 4
    )
    assert (good.attempt, good.outcome, good.result, good.retry_after_ms) == (4, AttemptOutcome.SUCCEEDED, "5", None)
    bad = convert.attempt_result(
        wire.TaskResult(task_id="t", error=wire.ErrorResult(type="E", message="m", data="oops", retriable=False)), 4
    )
    assert (bad.outcome, bad.error_type, bad.error_message, bad.error_data) == (
        AttemptOutcome.FAILED,
        "E",
        "m",
        '"oops"',
    )
    assert bad.retriable  # Azolla never looks at the flag, so it decides nothing here either


def test_a_result_without_success_or_error_failed():
    empty = convert.attempt_result(wire.TaskResult(task_id="t"), 1)
    assert (empty.outcome, empty.result, empty.error_type) == (AttemptOutcome.FAILED, None, "")


@pytest.mark.parametrize(("data", "kept"), [("", ""), ("{}", ""), ('{"a":1}', '{"a":1}'), ("x", '"x"'), ("[1]", "[1]")])
def test_error_data_is_json_or_a_string(data, kept):
    message = wire.TaskResult(task_id="t", error=wire.ErrorResult(type="E", data=data))
    assert convert.attempt_result(message, 1).error_data == kept


def test_a_report_of_ours_arrives_whole():
    message = wire.TaskResult(
        task_id="t",
        attempt=2,
        error=wire.ErrorResult(type="E", message="m", retriable=False),
        report=wire.AttemptReport(
            outcome=wire.AttemptOutcome.ATTEMPT_OUTCOME_TIMED_OUT,
            started_ms=5,
            exit_code=0,
            signal=9,
            peak_memory_bytes=1,
            cpu_us=2,
            log_bytes=3,
            log_lines=4,
            retry_after_ms=0,
            isolation="process",
            left_behind="x",
        ),
    )
    result = convert.attempt_result(message, 0)
    assert (result.attempt, result.outcome, result.retriable, result.retry_after_ms) == (
        2,
        AttemptOutcome.TIMED_OUT,
        False,
        0,
    )
    assert (result.started_ms, result.exit_code, result.signal) == (5, 0, 9)
    assert (result.peak_memory_bytes, result.cpu_us, result.log_bytes, result.log_lines) == (1, 2, 3, 4)
    assert (result.isolation, result.left_behind) == ("process", "x")


def test_what_a_report_leaves_out_is_not_zero():
    message = wire.TaskResult(
        task_id="t", attempt=1, success=wire.SuccessResult(), report=wire.AttemptReport(started_ms=1)
    )
    result = convert.attempt_result(message, 0)
    assert (result.outcome, result.result) == (AttemptOutcome.SUCCEEDED, "null")
    assert (result.exit_code, result.signal, result.retry_after_ms) == (None, None, None)


@pytest.mark.parametrize("outcome", AttemptOutcome)
def test_every_outcome_is_understood(outcome):
    message = wire.TaskResult(task_id="t", attempt=1, report=wire.AttemptReport(outcome=int(outcome)))
    assert convert.attempt_result(message, 0).outcome is outcome


def test_an_outcome_of_a_later_version_is_judged_by_the_result():
    report = wire.AttemptReport(outcome=77)
    failed = wire.TaskResult(task_id="t", attempt=1, report=report, error=wire.ErrorResult(type="E"))
    assert convert.attempt_result(failed, 0).outcome is AttemptOutcome.FAILED
    succeeded = wire.TaskResult(task_id="t", attempt=1, report=report, success=wire.SuccessResult())
    assert convert.attempt_result(succeeded, 0).outcome is AttemptOutcome.SUCCEEDED
