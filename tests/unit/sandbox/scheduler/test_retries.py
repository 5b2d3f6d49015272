"""What follows the end of an attempt: every outcome under every kind of policy."""

from __future__ import annotations

import math

import pytest

from sandbox.model.retry_policy import DEFAULT, LONGEST_DELAY_S, RetryPolicy, WaitStrategy
from sandbox.model.status import AttemptOutcome, TaskStatus
from sandbox.scheduler.retries import MAX_LOST, Again, Over, what_follows
from tests.support.factories import NOW_MS, every_error, make_failure, make_live, make_result

NEVER = RetryPolicy(max_attempts=5, include_errors=())
ONCE = every_error(max_attempts=1)
NO_CAP = every_error(max_attempts=None)


def follows(task, ended, policy=DEFAULT, *, now_ms=NOW_MS, unit=0.5):
    return what_follows(task, ended, policy, now_ms, unit)


POLICIES = [DEFAULT, NEVER, ONCE, NO_CAP, every_error(), every_error(max_elapsed=0.0)]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cancel_requested", [False, True])
def test_a_success_is_a_success_whatever_the_policy_says(policy, cancel_requested):
    task = make_live(attempt=9, cancel_requested=cancel_requested)
    assert follows(task, make_result(task), policy) == Over(TaskStatus.SUCCEEDED)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cancelled_attempt_ends_the_task(policy):
    task = make_live()
    ended = make_failure(task, outcome=AttemptOutcome.CANCELLED)
    assert follows(task, ended, policy) == Over(TaskStatus.CANCELLED, "cancelled while it ran")


@pytest.mark.parametrize("outcome", [outcome for outcome in AttemptOutcome if outcome is not AttemptOutcome.SUCCEEDED])
def test_once_a_cancel_was_asked_for_nothing_is_tried_again(outcome):
    task = make_live(cancel_requested=True)
    after = follows(task, make_failure(task, outcome=outcome, retry_after_ms=5), NO_CAP)
    assert isinstance(after, Over)
    assert after.status is TaskStatus.CANCELLED


@pytest.mark.parametrize("policy", POLICIES)
def test_handed_back_is_tried_again_at_once_under_every_policy(policy):
    task = make_live(attempt=40, uncounted=39, lost=10)
    after = follows(task, make_failure(task, outcome=AttemptOutcome.HANDED_BACK, retriable=False), policy)
    assert isinstance(after, Again)
    assert (after.delay_ms, after.counted) == (0, False)


@pytest.mark.parametrize("policy", POLICIES)
def test_lost_is_tried_again_under_every_policy(policy):
    task = make_live()
    after = follows(task, make_failure(task, outcome=AttemptOutcome.LOST, retriable=False), policy)
    assert isinstance(after, Again)
    assert (after.delay_ms, after.counted) == (0, False)


@pytest.mark.parametrize(("lost", "delay_ms"), [(0, 0), (1, 1000), (5, 5000), (9, 9000)])
def test_the_pause_grows_with_every_loss(lost, delay_ms):
    task = make_live(attempt=lost + 1, lost=lost, uncounted=lost)
    after = follows(task, make_failure(task, outcome=AttemptOutcome.LOST))
    assert isinstance(after, Again)
    assert after.delay_ms == delay_ms


def test_after_max_lost_losses_the_task_is_lost():
    task = make_live(attempt=MAX_LOST + 1, lost=MAX_LOST, uncounted=MAX_LOST)
    after = follows(task, make_failure(task, outcome=AttemptOutcome.LOST), NO_CAP)
    assert after == Over(TaskStatus.LOST, "11 attempts were lost with their shepherds")


def test_lost_and_handed_back_attempts_use_up_nothing():
    task = make_live(attempt=5, uncounted=3, lost=2)  # the second that counts
    assert isinstance(follows(task, make_failure(task), every_error(max_attempts=3)), Again)
    task = make_live(attempt=6, uncounted=3, lost=2)  # the third
    assert follows(task, make_failure(task), every_error(max_attempts=3)) == Over(
        TaskStatus.DEAD, "all 3 attempts are used up"
    )


def test_the_delay_counts_only_what_counts():
    policy = RetryPolicy(strategy=WaitStrategy.EXPONENTIAL, initial_delay=1, multiplier=2)
    task = make_live(attempt=4, uncounted=2)
    after = follows(task, make_failure(task), policy)
    assert isinstance(after, Again)
    assert after.delay_ms == 2000


@pytest.mark.parametrize("outcome", [AttemptOutcome.FAILED, AttemptOutcome.TIMED_OUT])
def test_failures_and_timeouts_follow_the_policy(outcome):
    task = make_live()
    again = follows(task, make_failure(task, outcome=outcome), DEFAULT, unit=0.25)
    assert again == Again(250, "ValueError is tried again")
    final = TaskStatus.TIMED_OUT if outcome is AttemptOutcome.TIMED_OUT else TaskStatus.FAILED
    assert follows(task, make_failure(task, outcome=outcome, error_type="KeyError")) == Over(
        final, "the retry policy doesn't try KeyError again"
    )
    assert follows(task, make_failure(task, outcome=outcome), NEVER) == Over(
        final, "the retry policy doesn't try ValueError again"
    )
    assert follows(task, make_failure(task, outcome=outcome), ONCE) == Over(
        final, "the retry policy allows one attempt"
    )
    assert follows(task, make_failure(task, outcome=outcome, retriable=False), NO_CAP) == Over(
        final, "ValueError is not worth another attempt"
    )


def test_all_attempts_used_up_is_dead_and_not_failed():
    for outcome in (AttemptOutcome.FAILED, AttemptOutcome.TIMED_OUT):
        task = make_live(attempt=3)
        assert follows(task, make_failure(task, outcome=outcome), every_error(max_attempts=3)) == Over(
            TaskStatus.DEAD, "all 3 attempts are used up"
        )


def test_no_cap_never_ends():
    task = make_live(attempt=100_000)
    assert isinstance(follows(task, make_failure(task), NO_CAP), Again)


def test_exclude_wins_over_the_wildcard():
    policy = every_error(exclude_errors=("ValueError",))
    task = make_live()
    assert isinstance(follows(task, make_failure(task), policy), Over)
    assert isinstance(follows(task, make_failure(task, error_type="Other"), policy), Again)


def test_an_error_without_a_type_is_told_as_such():
    task = make_live()
    after = follows(task, make_failure(task, error_type=""))
    assert after == Over(TaskStatus.FAILED, "the retry policy doesn't try an error without a type again")


# ── the task asks for another attempt ────────────────────────────────────────────────────────────────


def test_retry_after_sets_the_delay_whatever_the_error():
    task = make_live()
    asked = make_failure(task, error_type="KeyError", retriable=False, retry_after_ms=1234)
    assert follows(task, asked) == Again(1234, "the task asked for another attempt")


def test_retry_after_zero_waits_as_the_policy_says():
    task = make_live()
    asked = make_failure(task, error_type="KeyError", retry_after_ms=0)
    assert follows(task, asked, every_error(delay=7.0)) == Again(7000, "the task asked for another attempt")


def test_retry_after_uses_up_attempts():
    task = make_live(attempt=3)
    asked = make_failure(task, retry_after_ms=10)
    assert follows(task, asked, every_error(max_attempts=3)) == Over(TaskStatus.DEAD, "all 3 attempts are used up")


def test_retry_after_is_no_longer_than_a_year():
    task = make_live()
    asked = make_failure(task, retry_after_ms=2**64 - 1)
    after = follows(task, asked)
    assert isinstance(after, Again)
    assert after.delay_ms == LONGEST_DELAY_S * 1000


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("elapsed_ms", "over"), [(0, False), (9_999, False), (10_000, True), (3_600_000, True)])
def test_max_elapsed_is_looked_at_when_an_attempt_fails(elapsed_ms, over):
    task = make_live()
    after = follows(task, make_failure(task), every_error(max_elapsed=10), now_ms=NOW_MS + elapsed_ms)
    if over:
        assert after == Over(TaskStatus.DEAD, "the 10 s that the retry policy allows are over")
    else:
        assert isinstance(after, Again)


def test_max_elapsed_doesnt_hold_for_what_was_lost():
    task = make_live()
    ended = make_failure(task, outcome=AttemptOutcome.LOST)
    assert isinstance(follows(task, ended, every_error(max_elapsed=0.0), now_ms=NOW_MS + 10**6), Again)


@pytest.mark.parametrize(
    ("attempt", "expected"), [(1, 1000), (2, 2000), (3, 4000), (9, 256_000), (10, 300_000), (5000, 300_000)]
)
def test_exponential_delays(attempt, expected):
    policy = every_error(max_attempts=None, strategy=WaitStrategy.EXPONENTIAL)
    task = make_live(attempt=attempt)
    after = follows(task, make_failure(task), policy)
    assert isinstance(after, Again)
    assert after.delay_ms == expected


@pytest.mark.parametrize("unit", [0.0, 0.5, math.nextafter(1, 0)])
def test_jitter_lies_between_nothing_and_the_exponential_delay(unit):
    task = make_live(attempt=3)
    after = follows(
        task, make_failure(task), every_error(max_attempts=None, strategy=WaitStrategy.EXPONENTIAL_JITTER), unit=unit
    )
    assert isinstance(after, Again)
    assert after.delay_ms == round(4000 * unit)
