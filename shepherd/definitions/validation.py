"""Task files and modules checked without running them: what `azolla-local validate` says."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shepherd.definitions.catalog import Catalog, declared_twice
from shepherd.definitions.definition import TaskDefinition
from shepherd.definitions.python_source import read_module
from shepherd.definitions.task_file import read_task_file
from shepherd.definitions.task_file_problems import Problem


class Validation(NamedTuple):
    """What was found: the tasks that can be used, and every problem, by file and line."""

    names: tuple[str, ...]
    problems: tuple[Problem, ...]


def validate_paths(paths: Sequence[Path]) -> list[Problem]:
    """Every problem of the files, and of the task files and modules in the folders; sorted by file and line."""
    return list(check_paths(paths).problems)


def check_paths(paths: Sequence[Path]) -> Validation:
    """The tasks and problems of files and folders.

    A name that two of them declare is a problem, too. What depends on the host, such as a command that isn't
    there, is only a warning.
    """
    problems: list[Problem] = []
    by_name: dict[str, TaskDefinition] = {}
    for path in paths:
        found, own_problems = _read(Path(path))
        problems += own_problems
        for definition in found:
            first = by_name.setdefault(definition.name, definition)
            if (first.source, first.line) != (definition.source, definition.line):
                problems.append(declared_twice(definition, first))
            problems += _host_warnings(definition)
    ordered = sorted(set(problems), key=lambda problem: (str(problem.file), problem.line, problem.message))
    return Validation(tuple(sorted(by_name)), tuple(ordered))


def _read(path: Path) -> tuple[list[TaskDefinition], list[Problem]]:
    if path.is_dir():
        catalog = Catalog([path])
        return catalog.definitions(), catalog.problems()
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"the file can't be read: {error.strerror}"
        return [], [Problem(file=path, line=0, message=message, expected="a task file, a module or a folder")]
    if path.suffix == ".py":
        module = read_module(path.absolute(), content)
        problems = module.problems
        if not module.definitions and not problems:
            problems = [
                Problem(file=path, line=0, message="the module declares no task", expected="a function with @task")
            ]
        return module.definitions, problems
    definition, problems = read_task_file(path.absolute(), content)
    return ([] if definition is None else [definition]), problems


def _host_warnings(definition: TaskDefinition) -> Iterator[Problem]:
    """What would fail here, but may be right on the host that runs the task."""
    commands = [("Command", definition.command)] if definition.command else []
    commands += [(check.name, shlex.split(check.script)[0]) for check in definition.checks]
    for key, command in commands:
        why = _not_runnable(command)
        if why:
            yield Problem(file=definition.source, line=definition.line, key=key, message=why, warning=True)
    folder = definition.service.working_directory
    if folder is not None and not folder.is_dir():
        message = f"the working directory {folder} isn't there"
        key = "WorkingDirectory"
        yield Problem(file=definition.source, line=definition.line, key=key, message=message, warning=True)


def _not_runnable(command: str) -> str:
    if "$" in command:
        return ""
    if "/" not in command:
        return "" if _in_path(command, os.get_exec_path()) else f"no command {command} is found in PATH here"
    if not os.path.exists(command):  # noqa: PTH110 - beside os.access, which Path hasn't
        return f"{command} isn't there"
    if os.path.isdir(command):  # noqa: PTH112 - beside os.access, which Path hasn't
        return f"{command} is a folder"
    return "" if os.access(command, os.X_OK) else f"{command} has no run bit: chmod +x {shlex.quote(command)}"


def _in_path(command: str, folders: Iterable[str]) -> bool:
    return any(os.access(os.path.join(folder, command), os.X_OK) for folder in folders)  # noqa: PTH118 - as above
