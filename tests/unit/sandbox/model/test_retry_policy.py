"""The retry policy: defaults, delays, which errors, and its JSON form."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.model.retry_policy import ANY_ERROR, DEFAULT, LONGEST_DELAY_S, RetryPolicy, WaitStrategy

SECONDS = st.floats(0, LONGEST_DELAY_S, allow_nan=False)
NAMES = st.lists(st.text(max_size=10), max_size=4).map(tuple)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.none() | st.integers(1, 1_000),
    max_elapsed=st.none() | st.floats(0, 1e12),
    strategy=st.sampled_from(WaitStrategy),
    delay=SECONDS,
    initial_delay=SECONDS,
    multiplier=st.floats(1, 1e6),
    max_delay=SECONDS,
    include_errors=NAMES,
    exclude_errors=NAMES,
)


def test_the_default_is_azollas() -> None:
    assert orjson.loads(DEFAULT.to_json()) == {
        "version": 1,
        "stop": {"max_attempts": 5, "max_delay": None},
        "wait": {"strategy": "exponential_jitter", "initial_delay": 1.0, "multiplier": 2.0, "max_delay": 300.0},
        "retry": {"include_errors": ["ValueError"], "exclude_errors": []},
    }


class TestErrors:
    @pytest.mark.parametrize(
        ("include", "exclude", "error", "expected"),
        [
            (("ValueError",), (), "ValueError", True),
            (("ValueError",), (), "KeyError", False),
            ((ANY_ERROR,), (), "KeyError", True),
            ((ANY_ERROR,), ("KeyError",), "KeyError", False),
            ((ANY_ERROR,), (ANY_ERROR,), "KeyError", True),
            (("KeyError",), ("KeyError",), "KeyError", False),
            ((), (), "KeyError", False),
        ],
    )
    def test_which_are_tried_again(
        self, include: tuple[str, ...], exclude: tuple[str, ...], error: str, expected: bool
    ) -> None:
        assert RetryPolicy(include_errors=include, exclude_errors=exclude).retries_error(error) is expected


class TestDelays:
    def test_fixed(self) -> None:
        policy = RetryPolicy(strategy=WaitStrategy.FIXED, delay=2.5)
        assert [policy.delay_before(retry, 0.1) for retry in (1, 2, 50)] == [2.5, 2.5, 2.5]

    def test_fixed_at_nothing(self) -> None:
        assert RetryPolicy(strategy=WaitStrategy.FIXED, delay=0).delay_before(1, 0.9) == 0

    def test_exponential_begins_with_the_initial_delay(self) -> None:
        policy = RetryPolicy(strategy=WaitStrategy.EXPONENTIAL, initial_delay=0.5, multiplier=3, max_delay=10)
        assert [policy.delay_before(retry, 0.0) for retry in range(1, 6)] == [0.5, 1.5, 4.5, 10, 10]

    def test_jitter_takes_a_part_of_it(self) -> None:
        policy = RetryPolicy(initial_delay=4, multiplier=2, max_delay=100)
        assert [policy.delay_before(2, unit) for unit in (0.0, 0.25, 0.5)] == [0, 2, 4]

    def test_growth_beyond_all_numbers_is_the_longest(self) -> None:
        policy = RetryPolicy(strategy=WaitStrategy.EXPONENTIAL, multiplier=1e6, max_delay=77)
        assert policy.delay_before(10_000, 0.5) == 77

    @given(POLICIES, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
    def test_no_delay_is_negative_or_longer_than_allowed(self, policy: RetryPolicy, retry: int, unit: float) -> None:
        delay = policy.delay_before(retry, unit)
        assert 0 <= delay <= LONGEST_DELAY_S
        if policy.strategy is not WaitStrategy.FIXED:
            assert delay <= policy.max_delay


class TestJson:
    @given(POLICIES)
    def test_it_comes_back_as_it_was(self, policy: RetryPolicy) -> None:
        back = RetryPolicy.from_json(policy.to_json())
        assert back.to_json() == policy.to_json()
        assert (back.max_attempts, back.max_elapsed) == (policy.max_attempts, policy.max_elapsed)
        assert (back.include_errors, back.exclude_errors) == (policy.include_errors, policy.exclude_errors)
        assert back.delay_before(3, 0.5) == policy.delay_before(3, 0.5)

    @pytest.mark.parametrize("text", ["{}", '{"version": 1}', '{"stop": null, "wait": null, "retry": null}'])
    def test_what_is_absent_has_its_default(self, text: str) -> None:
        assert RetryPolicy.from_json(text) == DEFAULT

    def test_a_part_that_is_there_says_all_of_it(self) -> None:
        policy = RetryPolicy.from_json('{"stop": {"max_delay": 60}, "retry": {"exclude_errors": ["A"]}}')
        assert (policy.max_attempts, policy.max_elapsed) == (None, 60)
        assert (policy.include_errors, policy.exclude_errors) == ((), ("A",))

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ([], "object"),
            ({"version": 2}, "version 2"),
            ({"stops": {}}, "'stops'"),
            ({"stop": []}, "stop of a retry policy"),
            ({"stop": {"attempts": 1}}, "stop has no key 'attempts'"),
            ({"stop": {"max_attempts": 0}}, "at least 1"),
            ({"stop": {"max_attempts": 1.5}}, "whole number"),
            ({"stop": {"max_attempts": True}}, "number"),
            ({"stop": {"max_attempts": "3"}}, "number"),
            ({"stop": {"max_delay": -1}}, "0 or more"),
            ({"wait": {"strategy": "random"}}, "fixed, exponential"),
            ({"wait": {"strategy": 3}}, "wait.strategy"),
            ({"wait": {"delay": -1}}, "wait.delay"),
            ({"wait": {"delay": None}}, "wait.delay"),
            ({"wait": {"delay": LONGEST_DELAY_S + 1}}, "between 0 and"),
            ({"wait": {"initial_delay": 1e300}}, "wait.initial_delay"),
            ({"wait": {"multiplier": 0.5}}, "at least 1"),
            ({"retry": {"include_errors": "ValueError"}}, "list of error types"),
            ({"retry": {"exclude_errors": [1]}}, "list of error types"),
        ],
    )
    def test_mistakes_are_named(self, value: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            RetryPolicy.from_json(orjson.dumps(value))

    def test_what_is_no_json(self) -> None:
        with pytest.raises(ValueError, match="not JSON"):
            RetryPolicy.from_json("{")

    @pytest.mark.parametrize(
        "policy",
        [
            RetryPolicy(max_elapsed=math.nan),
            RetryPolicy(max_elapsed=math.inf),
            RetryPolicy(multiplier=math.inf),
            RetryPolicy(multiplier=math.nan),
            RetryPolicy(delay=math.nan),
        ],
    )
    def test_numbers_that_are_none(self, policy: RetryPolicy) -> None:
        with pytest.raises(ValueError, match=r"stop\.|wait\."):
            policy.checked()
