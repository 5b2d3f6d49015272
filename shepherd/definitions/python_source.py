"""The tasks of a Python module, found in its source: nothing of it runs in the shepherd.

A task is a function of the module (also within `if` and `try`) that is decorated with our `task`, or with Azolla's
`azolla_task`, under any name that it was imported by.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shepherd.definitions.definition import DefinitionKind, TaskDefinition, digest_of
from shepherd.definitions.task_file import service_settings
from shepherd.definitions.task_file_problems import Problem
from shepherd.definitions.task_options import read_options

OURS = frozenset({"sandbox", "shepherd.definitions", "shepherd.definitions.python_tasks"})
"""The modules that our decorator can be imported from."""

AZOLLA = frozenset({"azolla", "azolla.task"})

_HINTS = (b"sandbox", b"shepherd.definitions", b"azolla")
"""A module with tasks holds one of these; others needn't be parsed."""


class Module(NamedTuple):
    """What was found in one module."""

    definitions: list[TaskDefinition]
    problems: list[Problem]
    neighbours: frozenset[Path]
    """Files of the module's folder that it imports, directly or through each other."""


_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Decorators(NamedTuple):
    """The names under which decorators are known in a module, such as `task` or `sandbox.task`."""

    ours: set[str]
    azolla: set[str]


def may_hold_tasks(content: bytes) -> bool:
    """A quick look that spares the parsing of most modules."""
    return b"task" in content and any(hint in content for hint in _HINTS)


def read_module(path: Path, content: bytes) -> Module:
    """The tasks that a module declares. A syntax error is a problem like any other."""
    try:
        tree = ast.parse(content, str(path))
    except (SyntaxError, ValueError) as error:
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
        message = (error.msg if isinstance(error, SyntaxError) else "") or str(error)
        problem = Problem(file=path, line=line, message=message, expected="valid Python")
        return Module([], [problem], frozenset())
    known = _decorators(tree)
    if not known.ours and not known.azolla:
        return Module([], [], frozenset())
    neighbours, contents = _neighbours(path, tree)
    digest = digest_of(content, *contents)
    definitions: list[TaskDefinition] = []
    problems: list[Problem] = []
    top_level = list(_functions(tree.body))
    for function in top_level:
        for decorator in function.decorator_list:
            found = _declared(function, decorator, known, path, digest)
            if found is not None:
                definition, own_problems = found
                problems += own_problems
                if definition is not None:
                    definitions.append(definition)
                break
    problems += _misplaced(tree, set(top_level), known, path)
    return Module(definitions, problems, neighbours)


def functions_of(content: bytes, path: Path) -> dict[str, bool]:
    """The functions of a module by name, and whether each is async. Raises SyntaxError."""
    tree = ast.parse(content, str(path))
    return {function.name: isinstance(function, ast.AsyncFunctionDef) for function in _functions(tree.body)}


def _functions(body: list[ast.stmt]) -> Iterator[_Function]:
    """The functions that exist once the module was imported."""
    for statement in body:
        if isinstance(statement, _Function):
            yield statement
        elif isinstance(statement, ast.If | ast.Try | ast.TryStar | ast.With):
            yield from _functions(statement.body)
            if not isinstance(statement, ast.With):
                yield from _functions(statement.orelse)
            if isinstance(statement, ast.Try | ast.TryStar):
                for handler in statement.handlers:
                    yield from _functions(handler.body)


def _decorators(tree: ast.Module) -> _Decorators:
    known = _Decorators(set(), set())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = alias.asname or alias.name
                if node.module in OURS and alias.name == "task":
                    known.ours.add(name)
                elif node.module in AZOLLA and alias.name == "azolla_task":
                    known.azolla.add(name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in OURS:
                    known.ours.add(f"{alias.asname or alias.name}.task")
                elif alias.name in AZOLLA:
                    known.azolla.add(f"{alias.asname or alias.name}.azolla_task")
    return known


def _declared(
    function: _Function, decorator: ast.expr, known: _Decorators, path: Path, digest: str
) -> tuple[TaskDefinition | None, list[Problem]] | None:
    """The definition that a decorator makes, with its problems; None if it is some other decorator."""
    call = decorator if isinstance(decorator, ast.Call) else None
    name = ast.unparse(call.func if call else decorator)
    if name in known.azolla:
        call = None
    elif name not in known.ours:
        return None
    options = read_options(call, path)
    if options.problems:
        return None, options.problems
    values = options.values
    definition = TaskDefinition(
        name=values.get("name", function.name),
        description=values.get("description", _first_line(ast.get_docstring(function))),
        kind=DefinitionKind.PYTHON,
        module_path=path,
        function=function.name,
        is_async=isinstance(function, ast.AsyncFunctionDef),
        checks=values.get("checks", ()),
        environment=values.get("environment", {}),
        service=service_settings(values, path),
        labels=values.get("labels", {}),
        retry_on=values.get("retry_on", ()),
        source=path,
        line=function.lineno,
        digest=digest,
    )
    return definition, []


def _first_line(docstring: str | None) -> str:
    return docstring.strip().partition("\n")[0] if docstring else ""


def _misplaced(tree: ast.Module, top_level: set[_Function], known: _Decorators, path: Path) -> list[Problem]:
    """Decorated things that can't be found again by a worker: methods, functions within functions."""
    problems: list[Problem] = []
    for node in ast.walk(tree):
        if not isinstance(node, _Function | ast.ClassDef) or node in top_level:
            continue
        for decorator in node.decorator_list:
            name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if name in known.ours or name in known.azolla:
                message = f"{node.name} is decorated as a task, but it is no function of the module"
                problems.append(
                    Problem(
                        file=path, line=node.lineno, key=name, message=message, expected="a function at the top level"
                    )
                )
    return problems


def _neighbours(path: Path, tree: ast.Module) -> tuple[frozenset[Path], list[bytes]]:
    """The files beside a module that it imports: a change in one of them changes the tasks, too."""
    folder = path.parent
    found: set[Path] = set()
    contents: list[bytes] = []
    trees = [tree]
    while trees:
        for name in sorted(_imported(trees.pop())):
            for candidate in (folder / f"{name}.py", folder / name / "__init__.py"):
                if candidate in found or candidate == path:
                    continue
                try:
                    content = candidate.read_bytes()
                except OSError:
                    # Not a neighbour, then: most imports are the standard library's or a package's.
                    continue
                found.add(candidate)
                contents.append(content)
                try:
                    trees.append(ast.parse(content))
                except (SyntaxError, ValueError):
                    # Its importer will say so, with file and line, when the task runs.
                    continue
    return frozenset(found), contents


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names
