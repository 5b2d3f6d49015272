"""All tasks that a list of folders declares, read again when files change.

A file that can't be read hides no other. One that could be read before and can't be now keeps its last good
definitions, so that a slip while editing doesn't make waiting tasks unknown; `problems()` tells of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from shepherd.definitions.definition import DefinitionKind, TaskDefinition, digest_of
from shepherd.definitions.python_source import may_hold_tasks, read_module
from shepherd.definitions.task_file import SUFFIXES, read_task_file
from shepherd.definitions.task_file_problems import Problem
from shepherd.errors import UnknownTask

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})
"""Besides those whose names start with a dot."""

RACY_NS = 50_000_000
"""A file that was changed this shortly before it was read is read again: its time may not tell the next change."""

_Stamp = tuple[int, int, int]

_UNREAD: _Stamp = (-1, -1, -1)
"""Of a file that was found and not read yet."""


@dataclass(slots=True)
class _File:
    """One file as it was when it was read last."""

    stamps: dict[Path, _Stamp | None]
    """Of the file, and of what it depends on."""
    read_ns: int
    definitions: list[TaskDefinition] = field(default_factory=list[TaskDefinition])
    problems: list[Problem] = field(default_factory=list[Problem])

    def changed(self) -> bool:
        for path, stamp in self.stamps.items():
            now = _stamp(path)
            if now != stamp or (now is not None and now[0] > self.read_ns - RACY_NS):
                return True
        return False


class Catalog:
    """The tasks of some folders (or single files), by name.

    The first declaration of a name counts, in the order of the folders and then of the paths; every later one is
    a problem. Not meant for use from several threads at once.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._roots = [Path(folder).absolute() for folder in folders]
        self._folders: dict[str, int | None] = {}
        self._files: dict[Path, _File] = {}
        self._by_name: dict[str, TaskDefinition] = {}
        self._problems: list[Problem] = []
        self._stale = True
        self.refresh()

    def get(self, name: str) -> TaskDefinition:
        """The definition of a name. Raises UnknownTask, with the names that come nearest."""
        definition = self._by_name.get(name)
        if definition is not None:
            return definition
        # Only needed for the message, and slow to import for workers of other kinds.
        from difflib import get_close_matches

        nearest = get_close_matches(name, self._by_name, n=3, cutoff=0.6)
        where = ", ".join(str(root) for root in self._roots) or "no task folder is configured"
        why = f"looked for in {where}"
        broken = [problem for problem in self._problems if not problem.warning]
        if broken:
            first = broken[0]
            why += f"; not all of it can be used, see {first.place}: {first.message}"
        raise UnknownTask(name, nearest=nearest, why=why)

    def names(self) -> list[str]:
        """All task names, sorted."""
        return sorted(self._by_name)

    def definitions(self) -> list[TaskDefinition]:
        """All definitions, sorted by name."""
        return [self._by_name[name] for name in self.names()]

    def problems(self) -> list[Problem]:
        """What is wrong in the folders, by file and line."""
        return list(self._problems)

    def refresh(self) -> bool:
        """Look whether files changed, read those that did, and tell whether any task or problem did.

        Costs one stat a folder and file when nothing changed.
        """
        if self._folders_changed():
            self._scan()
        changed = False
        for path, file in list(self._files.items()):
            if file.changed():
                fresh = _read(path, file)
                changed |= (fresh.definitions, fresh.problems) != (file.definitions, file.problems)
                self._files[path] = fresh
        return (changed or self._stale) and self._index()

    def _folders_changed(self) -> bool:
        if not self._folders:
            return True
        return any(_folder_stamp(folder) != stamp for folder, stamp in self._folders.items())

    def _scan(self) -> None:
        """Walk the folders again; files that are still there keep what was read of them."""
        before = self._files
        self._folders, self._files = {}, {}
        for root in self._roots:
            for path in self._walk(root):
                if path not in self._files:
                    self._files[path] = before.get(path) or _File({path: _UNREAD}, 0)
        self._stale = True

    def _walk(self, root: Path) -> Iterator[Path]:
        if root.is_file():
            self._folders[str(root.parent)] = _folder_stamp(str(root.parent))
            yield root
            return
        # A folder that doesn't exist yet is watched, too.
        self._folders[str(root)] = _folder_stamp(str(root))
        for folder, subfolders, files in os.walk(root):
            subfolders[:] = sorted(name for name in subfolders if _is_visited(name))
            self._folders[folder] = _folder_stamp(folder)
            for name in sorted(files):
                if not name.startswith(".") and name.endswith((*SUFFIXES, ".py")):
                    yield Path(folder, name)

    def _index(self) -> bool:
        before = (self._by_name, self._problems)
        by_name: dict[str, TaskDefinition] = {}
        problems = [
            Problem(file=root, line=0, message="there is no such task folder", warning=True)
            for root in self._roots
            if not root.exists()
        ]
        for file in self._files.values():
            problems += file.problems
            for definition in file.definitions:
                first = by_name.setdefault(definition.name, definition)
                if first is not definition:
                    problems.append(declared_twice(definition, first))
        self._by_name, self._problems = by_name, problems
        self._stale = False
        return before != (by_name, problems)


def declared_twice(later: TaskDefinition, first: TaskDefinition) -> Problem:
    """What to say of a name that is taken."""
    place = f"{first.source}:{first.line}"
    message = f"the task {later.name} is declared already, at {place}, which counts"
    return Problem(file=later.source, line=later.line, key="Name", message=message, expected="another name")


def _is_visited(name: str) -> bool:
    return not name.startswith(".") and name not in SKIPPED_FOLDERS


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _folder_stamp(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - on the way of every look-up; a Path costs more
    except OSError:
        return None


def _read(path: Path, before: _File | None) -> _File:
    """Read a file. A broken one keeps the definitions it had, with a new digest, so that workers notice."""
    read_ns = time.time_ns()
    stamps: dict[Path, _Stamp | None] = {path: _stamp(path)}
    try:
        content = path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return _File(stamps, read_ns)
        problem = Problem(file=path, line=0, message=f"the file can't be read: {error.strerror}")
        return _File(stamps, read_ns, before.definitions if before else [], [problem])
    definitions: list[TaskDefinition] = []
    problems: list[Problem] = []
    if path.suffix == ".py":
        if may_hold_tasks(content):
            module = read_module(path, content)
            definitions, problems = module.definitions, module.problems
            stamps |= {neighbour: _stamp(neighbour) for neighbour in module.neighbours}
    else:
        definition, problems = read_task_file(path, content)
        if definition is not None:
            definitions = [definition]
            if definition.module_path is not None:
                stamps[definition.module_path] = _stamp(definition.module_path)
    if before is not None and any(not problem.warning for problem in problems):
        fresh = {definition.name for definition in definitions}
        digest = digest_of(content)
        definitions += [
            replace(old, digest=digest) if old.kind is DefinitionKind.PYTHON else old
            for old in before.definitions
            if old.name not in fresh
        ]
    return _File(stamps, read_ns, definitions, problems)
