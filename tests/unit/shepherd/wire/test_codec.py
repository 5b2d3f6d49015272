"""Wire messages and plain objects."""

from __future__ import annotations

import pytest

from shepherd.wire import codec
from shepherd.wire.messages import Task
from shepherd.wire.payload import End, Outcome


def test_an_assignment_has_all_that_the_task_says() -> None:
    task = Task(
        task_id="t",
        attempt=2,
        name="n",
        args="[1]",
        kwargs='{"a":1}',
        domain="d",
        queue="q",
        timeout_ms=5,
        created_ms=7,
    )
    task.labels["k"] = "v"
    made = codec.assignment(task)
    assert (made.task_id, made.attempt, made.name, made.args, made.kwargs) == ("t", 2, "n", "[1]", '{"a":1}')
    assert (made.domain, made.queue, made.timeout_ms, made.created_ms) == ("d", "q", 5, 7)
    assert made.labels == {"k": "v"}


def test_what_azolla_leaves_out_has_defaults() -> None:
    made = codec.assignment(Task(task_id="t", name="n"))
    assert (made.args, made.kwargs, made.domain, made.queue, made.attempt) == ("[]", "{}", "default", "default", 0)


def test_a_success_travels_as_json_with_its_report() -> None:
    end = End(outcome=Outcome.SUCCEEDED, result_json="[1, 2]", started_ms=1, ended_ms=2, cpu_us=3, isolation="process")
    message = codec.result("t", 4, end)
    assert message.success.result.json_value == "[1, 2]"
    assert (message.task_id, message.attempt) == ("t", 4)
    assert (message.report.outcome, message.report.cpu_us, message.report.isolation) == (1, 3, "process")
    assert not message.report.HasField("exit_code")
    assert not message.report.HasField("retry_after_ms")


def test_a_failure_carries_the_flag_and_the_exit_code() -> None:
    end = End(outcome=Outcome.FAILED, error_type="ExitCode", error_message="no", retriable=True, exit_code=0)
    message = codec.result("t", 1, end)
    assert (message.error.type, message.error.message, message.error.data, message.error.retriable) == (
        "ExitCode",
        "no",
        "{}",
        True,
    )
    assert message.report.HasField("exit_code")


def test_asked_to_retry_now_differs_from_not_asked() -> None:
    asked = codec.result("t", 1, End(outcome=Outcome.FAILED, retry_after_ms=0))
    assert asked.report.HasField("retry_after_ms")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_outcomes_have_the_numbers_of_the_wire(outcome: Outcome) -> None:
    assert codec.result("t", 1, End(outcome=outcome)).report.outcome == outcome.value


def test_half_a_character_becomes_a_question_mark() -> None:
    end = End(outcome=Outcome.FAILED, error_type="E", error_message="bad \udcff name")
    assert codec.result("t", 1, end).error.message == "bad ? name"


def test_a_result_too_large_for_the_stream_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "LARGEST_RESULT_BYTES", 10)
    message = codec.result("t", 1, End(outcome=Outcome.SUCCEEDED, result_json='"12345678901"', cpu_us=9))
    assert message.error.type == "ResultTooLarge"
    assert not message.error.retriable
    assert (message.report.outcome, message.report.cpu_us) == (2, 9)


def test_an_offer_without_a_policy_has_none() -> None:
    assert not codec.offer("n", None).HasField("retry_policy")


def test_an_offer_carries_the_policy_as_it_is_written() -> None:
    text = (
        '{"version":1,"stop":{"max_attempts":3,"max_delay":null},"wait":{"strategy":"fixed","delay":0.5},'
        '"retry":{"include_errors":["TaskError"],"exclude_errors":["BadArguments"]}}'
    )
    policy = codec.offer("n", text).retry_policy
    assert (policy.version, policy.stop.max_attempts, policy.stop.HasField("max_delay")) == (1, 3, False)
    assert policy.wait.fixed.delay == 0.5
    assert list(policy.retry.include_errors) == ["TaskError"]
    assert list(policy.retry.exclude_errors) == ["BadArguments"]


def test_no_cap_is_a_stop_without_a_number() -> None:
    policy = codec.offer("n", '{"version":1,"stop":{"max_attempts":null}}').retry_policy
    assert policy.HasField("stop")
    assert not policy.stop.HasField("max_attempts")
    assert not policy.HasField("wait")


@pytest.mark.parametrize("strategy", ["exponential", "exponential_jitter"])
def test_growing_waits_keep_their_kind(strategy: str) -> None:
    text = f'{{"wait":{{"strategy":"{strategy}","initial_delay":2,"multiplier":3,"max_delay":9}}}}'
    wait = codec.offer("n", text).retry_policy.wait
    assert wait.WhichOneof("kind") == strategy
    kind = getattr(wait, strategy)
    assert (kind.initial_delay, kind.multiplier, kind.max_delay) == (2, 3, 9)
