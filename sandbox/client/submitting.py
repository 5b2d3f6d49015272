"""What both clients do with submissions before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sandbox.client.submission import Submission

DEFAULT_BATCH = 1000
MAX_BATCH = 10_000


def submission_of(
    task: str | Submission, args: Sequence[Any], kwargs: Mapping[str, Any] | None, **options: Any
) -> Submission:
    """The submission as it was given, or one that is made from the parts."""
    if isinstance(task, Submission):
        return task
    return Submission(name=task, args=args, kwargs=kwargs or {}, **options)


def in_batches(tasks: Iterable[Submission], size: int) -> Iterator[list[Submission]]:
    """The submissions in lists of `size` (1 to 10,000), read no further ahead than the next list."""
    if not 1 <= size <= MAX_BATCH:
        raise ValueError(f"a batch holds 1 to {MAX_BATCH} tasks, not {size}")
    rest = iter(tasks)
    while some := list(islice(rest, size)):
        yield some
