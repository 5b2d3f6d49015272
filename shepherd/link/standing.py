"""What a Hello says of attempts from before: what runs here, and what has ended and was not acknowledged."""

from __future__ import annotations

from collections.abc import Iterable

from shepherd.wire.messages import AttemptKey


def standing(running: Iterable[tuple[str, int]], ended: Iterable[tuple[str, int]]) -> list[AttemptKey]:
    """Each attempt once, in a fixed order."""
    keys = {*running, *ended}
    return [AttemptKey(task_id=task_id, attempt=attempt) for task_id, attempt in sorted(keys)]
