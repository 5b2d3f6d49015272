"""The options of `@task`, as literals in the source: what each may be, and the setting that it becomes.

An option of a task file's key takes the same texts as the key does, so both are read by the same functions.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from shepherd.definitions import task_file_keys as keys
from shepherd.definitions.definition import Check
from shepherd.definitions.python_tasks import OPTION_NAMES
from shepherd.definitions.references import references
from shepherd.definitions.task_file_problems import Problem, nearest_name

ELSEWHERE = {
    "retry": "retries",
    "max_retries": "retries",
    "max_attempts": "retries",
    "retry_backoff": "retry_delay",
    "timeout": "max_time",
    "time_limit": "max_time",
    "memory": "limit_mem",
    "env": "environment",
    "cwd": "working_directory",
}
"""What others call our options."""


class Options(NamedTuple):
    """Values by the fields that they fill: those of `ServiceSettings`, and the rest."""

    values: dict[str, Any]
    problems: list[Problem]


def read_options(call: ast.Call | None, path: Path) -> Options:
    """The options of one decorator; whatever can't be read is a problem with its line."""
    found = Options({}, [])
    if call is None:
        return found

    def refuse(node: ast.AST, key: str, message: str, expected: str, nearest: str = "") -> None:
        line = getattr(node, "lineno", call.lineno)
        problem = Problem(file=path, line=line, key=key, message=message, expected=expected, nearest=nearest)
        found.problems.append(problem)

    for argument in call.args:
        refuse(argument, "", "@task takes no positional argument", "options by name, such as @task(name='report')")
    for keyword in call.keywords:
        name = keyword.arg
        if name is None:
            refuse(keyword.value, "", "the options of @task are spread with **", "options one by one")
            continue
        if name not in OPTION_NAMES:
            nearest = ELSEWHERE.get(name) or nearest_name(name, OPTION_NAMES)
            refuse(keyword.value, name, f"@task has no option {name}", "one of " + ", ".join(OPTION_NAMES), nearest)
            continue
        try:
            value = _literal(keyword.value)
        except ValueError:
            why = "a literal value: options are read without running the module"
            refuse(keyword.value, name, f"{name} is computed", why)
            continue
        if value is None:
            continue
        field, read = _READERS.get(name, (name, None))
        try:
            found.values[field] = read(value, path) if read else _by_key(name, value)
        except keys.UnlikeError as error:
            refuse(keyword.value, name, f"{name} can't be {value!r}", str(error), error.nearest)
        except ValueError as error:
            refuse(keyword.value, name, f"{name} can't be {value!r}", str(error))
    return found


def _literal(node: ast.expr) -> Any:
    """A literal; the names of exceptions in a list stand for themselves. ValueError for anything computed."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.Name):
        return _ErrorName(node.id)
    if isinstance(node, ast.Attribute):
        return _ErrorName(node.attr)
    try:
        return ast.literal_eval(node)
    except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from error


class _ErrorName(str):
    """A name in the source, not a text in quotes."""

    __slots__ = ()


_SECTIONS_OF_OPTIONS = ("Task", "Service")


def _by_key(name: str, value: Any) -> Any:
    if isinstance(value, _ErrorName | bool) or not isinstance(value, str | int | float):
        raise ValueError("a text or a number")
    for section in _SECTIONS_OF_OPTIONS:
        key = keys.find_key(section, name)
        if key is not None:
            return key.read(str(value) if isinstance(value, str) else f"{value:f}".rstrip("0").rstrip("."))
    raise KeyError(name)


def _whole_by(read: Callable[[str], Any]) -> Callable[[Any, Path], Any]:
    def checked(value: Any, path: Path) -> Any:
        del path
        if isinstance(value, _ErrorName | bool) or not isinstance(value, str | int):
            raise ValueError("a whole number, or a text")
        return read(str(value))

    return checked


def _text(value: Any, path: Path) -> str:
    del path
    if isinstance(value, _ErrorName) or not isinstance(value, str):
        raise ValueError("a text")
    return value


def _name(value: Any, path: Path) -> str:
    return keys.task_name(_text(value, path))


def _errors(value: Any, path: Path) -> tuple[str, ...]:
    del path
    names = cast("list[Any]", value if isinstance(value, list) else [value])
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError("error types such as ['ValueError', ConnectionError]")
    return tuple(str(name) for name in names)


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("texts by name, such as {'team': 'docs'}")
    pairs = cast("dict[Any, Any]", value)
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in pairs.items()):
        raise ValueError("texts by name, such as {'team': 'docs'}")
    return pairs


def _labels(value: Any, path: Path) -> dict[str, str]:
    del path
    return _texts(value)


def _environment(value: Any, path: Path) -> dict[str, str]:
    del path
    variables = _texts(value)
    for name, text in variables.items():
        keys.variable_name(name)
        references(text)
    return variables


def _checks(value: Any, path: Path) -> tuple[Check, ...]:
    found: list[Check] = []
    for name, line in _texts(value).items():
        command = keys.words(line)
        if not command:
            raise ValueError("command lines by name, such as {'disk': './check-disk.sh 1G'}")
        first = str((path.parent / command[0]).absolute()) if "/" in command[0] else command[0]
        found.append(Check(name=name, script=shlex.join((first, *command[1:]))))
    return tuple(found)


_READERS: dict[str, tuple[str, Callable[[Any, Path], Any]]] = {
    "name": ("name", _name),
    "description": ("description", _text),
    "retries": ("restart", _whole_by(keys.retries)),
    "nice": ("nice", _whole_by(keys.nice)),
    "limit_pids": ("limit_pids", _whole_by(lambda text: keys.read_value("Service", "LimitPids", text))),
    "retry_on": ("retry_on", _errors),
    "labels": ("labels", _labels),
    "environment": ("environment", _environment),
    "checks": ("checks", _checks),
}
