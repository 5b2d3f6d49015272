"""The task that does nothing, so that everything else is what is measured."""

from __future__ import annotations

from sandbox import task


@task(name="noop", isolation="resident")
def noop(*_args: object, **_kwargs: object) -> None:
    """Nothing."""
