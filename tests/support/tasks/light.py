"""Light tasks for tests, at the resident tier."""

from __future__ import annotations

from sandbox import Context, task


@task(name="echo", isolation="resident")
def echo(value: object = None) -> object:
    """Give back what it got."""
    return value


@task(name="say", isolation="resident")
def say(text: str, times: int = 1) -> int:
    """Print a line so many times."""
    for number in range(times):
        print(f"{number}: {text}")
    return times


class FatalError(Exception):
    """An error that the tests' retry policies don't try again."""


@task(name="stress", isolation="resident")
def stress(ctx: Context, fail_first: int, fatal: bool = False) -> int:
    """Fail the first so many attempts; `fatal`: at once and for good. Gives the number of its attempt."""
    if fatal:
        raise FatalError("not to be tried again")
    if ctx.attempt <= fail_first:
        raise ValueError(f"attempt {ctx.attempt} of {fail_first} that fail")
    return ctx.attempt
