"""A task that fails as often as it is told."""

from __future__ import annotations

from sandbox import Context, task


@task(name="flaky", isolation="resident")
def flaky(ctx: Context, fail_first: int) -> int:
    """Fail the first so many attempts. Gives the number of its attempt."""
    if ctx.attempt <= fail_first:
        raise ValueError(f"attempt {ctx.attempt} of {fail_first} that fail")
    return ctx.attempt
