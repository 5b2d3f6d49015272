"""Step: a folder for the attempt alone.

::

    STATE/work/TASK_ID.ATTEMPT/
        control/    assignment in, outcome out; stays until the orchestrator has acknowledged the result
        work/       HOME and, unless the task says otherwise, working directory; removed at the end
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from shepherd.attempts.attempt import Attempt
from shepherd.tiers.control_folder import ASSIGNMENT_FILE
from shepherd.wire.payload import End


def attempt_folder(work_root: Path, task_id: str, attempt: int) -> Path:
    """Where an attempt has its folder. ValueError if the id can't be part of a path."""
    name = f"{task_id}.{attempt}"
    if "/" in name or "\0" in name or name.startswith("."):
        raise ValueError(f"{task_id!r} is no task id")
    return work_root / name


class WorkFolderStep:
    """Makes it, and takes `work/` away again, or all of it if nothing ran. What can't be removed is named in the end."""

    name = "work folder"

    def __init__(self, work_root: Path) -> None:
        self._root = work_root

    async def do(self, attempt: Attempt) -> End | None:
        folder = attempt_folder(self._root, attempt.assignment.task_id, attempt.assignment.attempt)
        attempt.folder = folder
        if folder.exists():
            # Of an earlier shepherd that was killed before it wrote the journal: nothing ran in it.
            shutil.rmtree(folder)
        folder.mkdir(parents=True, mode=0o700)
        (folder / "control").mkdir(mode=0o700)
        (folder / "work").mkdir(mode=0o700)
        return None

    async def undo(self, attempt: Attempt, end: End) -> None:
        if attempt.folder is None:
            return
        work = attempt.folder / "work"
        if (attempt.folder / "control" / ASSIGNMENT_FILE).exists():
            await asyncio.to_thread(remove_tree, work)
        else:
            # It never got as far as its tier: no journal remembers it, and nobody comes back for the rest.
            await asyncio.to_thread(remove_tree, attempt.folder)
        if work.exists():
            end.left_behind = ", ".join(part for part in (end.left_behind, f"folder {work}") if part)


def remove_tree(folder: Path) -> None:
    """Remove a folder, also where a task took its own right to write away. What can't be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    try:
        folder.chmod(0o700)
        for place, folders, _ in os.walk(folder):
            for name in folders:
                inner = Path(place, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
    except OSError:
        return  # another user's: the caller sees that it is still there, and says so
    shutil.rmtree(folder, ignore_errors=True)
