"""A task file, in INI form, read into a definition.

Reading never stops at the first mistake: every one becomes a problem with its line. A file with a mistake
gives no definition, since half of what it asks for would be something else than what it says.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from shepherd.definitions import task_file_keys as keys
from shepherd.definitions.definition import Check, DefinitionKind, ServiceSettings, TaskDefinition, digest_of
from shepherd.definitions.ini_lines import Entry, read_lines, unquoted
from shepherd.definitions.references import EXPECTED as REFERENCE_EXPECTED
from shepherd.definitions.references import references
from shepherd.definitions.task_file_problems import Problem, nearest_name

SUFFIXES = (".task", ".ini")
"""How the names of task files end."""

LARGEST_FILE_BYTES = 1024 * 1024
"""No task file is larger; something that is isn't one."""


@dataclass(slots=True)
class _Reading:
    """What has been gathered so far."""

    path: Path
    problems: list[Problem] = field(default_factory=list[Problem])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    checks: dict[str, Check] = field(default_factory=dict[str, Check])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    run_if: dict[str, str] = field(default_factory=dict[str, str])

    def refuse(self, line: int, message: str, *, key: str = "", expected: str = "", nearest: str = "") -> None:
        self.problems.append(
            Problem(file=self.path, line=line, key=key, message=message, expected=expected, nearest=nearest)
        )

    def warn(self, line: int, message: str, *, key: str = "") -> None:
        self.problems.append(Problem(file=self.path, line=line, key=key, message=message, warning=True))


def read_task_file(path: Path, content: bytes) -> tuple[TaskDefinition | None, list[Problem]]:
    """The definition, or None with the problems that are in its way. Warnings come beside a definition."""
    reading = _Reading(path)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reading.refuse(line, "this is no UTF-8 text", expected="a text file in UTF-8")
        return None, reading.problems
    if len(content) > LARGEST_FILE_BYTES or "\0" in text:
        reading.refuse(0, "this is no task file", expected="a text file below 1M, without NUL")
        return None, reading.problems
    lines = read_lines(text)
    for fault in lines.faults:
        reading.refuse(fault.line, fault.message, expected=fault.expected)
    known: dict[str, str] = {}
    for written, line in lines.sections.items():
        section = keys.find_section(written)
        if section is None:
            nearest = nearest_name(written, keys.SECTIONS)
            expected = ", ".join(f"[{name}]" for name in keys.SECTIONS)
            shown = f"[{nearest}]" if nearest else ""
            reading.refuse(line, f"no section is called [{written}]", key=written, expected=expected, nearest=shown)
        else:
            known[written] = section
    for entry in lines.entries:
        section = known.get(entry.section)
        if section is not None:
            _READERS.get(section, _take_key)(reading, section, entry)
    if any(written in known for written in lines.sections) and (reading.run_if or _orders(reading)):
        line = min(n for w, n in lines.sections.items() if known.get(w) in {"RunIf", "Dependencies"})
        reading.warn(line, "[RunIf] and [Dependencies] are read and kept, but this version doesn't act on them")
    if reading.values.get("tty"):
        reading.warn(reading.lines["tty"], "TTY is read and kept, but this version gives every task a pipe", key="TTY")
    definition = _definition(reading, content)
    reading.problems.sort(key=lambda problem: problem.line)
    broken = any(not problem.warning for problem in reading.problems)
    return (None if broken else definition), reading.problems


def _orders(reading: _Reading) -> bool:
    return any(reading.values.get(name) for name in ("requires", "wants", "after", "before"))


def _take_key(reading: _Reading, section: str, entry: Entry) -> None:
    key = keys.find_key(section, entry.key)
    if key is None:
        expected = "one of " + ", ".join(known.name for known in keys.keys_of(section))
        reading.refuse(
            entry.line,
            f"[{section}] has no key {entry.key}",
            key=entry.key,
            expected=expected,
            nearest=keys.nearest_key(section, entry.key),
        )
        return
    if key.repeats and not entry.value:
        reading.values.pop(key.field, None)
        return
    if not key.repeats and key.field in reading.lines:
        reading.refuse(
            entry.line,
            f"{key.name} is given twice, first in line {reading.lines[key.field]}",
            key=key.name,
            expected=f"one {key.name}",
        )
        return
    try:
        value = key.read(entry.value)
    except keys.UnlikeError as error:
        _refuse_value(reading, entry, key.name, str(error), error.nearest)
        return
    except ValueError as error:
        _refuse_value(reading, entry, key.name, str(error))
        return
    reading.lines.setdefault(key.field, entry.line)
    reading.values[key.field] = (*reading.values.get(key.field, ()), *value) if key.repeats else value


def _refuse_value(reading: _Reading, entry: Entry, key: str, expected: str, nearest: str = "") -> None:
    message = f"{key} can't be {entry.value!r}" if entry.value else f"{key} has no value"
    reading.refuse(entry.line, message, key=key, expected=expected, nearest=nearest)


def _take_check(reading: _Reading, section: str, entry: Entry) -> None:
    if entry.key in reading.checks:
        reading.refuse(entry.line, f"the check {entry.key} is given twice", key=entry.key, expected="another name")
        return
    try:
        command = keys.words(entry.value)
    except ValueError as error:
        _refuse_value(reading, entry, entry.key, str(error))
        return
    if not command:
        reading.refuse(entry.line, f"the check {entry.key} has no command", key=entry.key, expected="a command line")
        return
    script = shlex.join((_resolved(reading.path, command[0]), *command[1:]))
    reading.checks[entry.key] = Check(name=entry.key, script=script)
    reading.lines[f"{section}.{entry.key}"] = entry.line


def _take_variable(reading: _Reading, section: str, entry: Entry) -> None:
    del section
    try:
        name = keys.variable_name(entry.key)
        value = unquoted(entry.value)
    except ValueError as error:
        reading.refuse(entry.line, f"{entry.key} can't be set so", key=entry.key, expected=str(error))
        return
    try:
        references(value)
    except ValueError as error:
        reading.refuse(entry.line, f"{name} holds a broken reference", key=name, expected=str(error))
        return
    reading.environment[name] = value


def _take_condition(reading: _Reading, section: str, entry: Entry) -> None:
    del section
    reading.run_if[entry.key] = entry.value


_READERS: dict[str, Callable[[_Reading, str, Entry], None]] = {
    "Checks": _take_check,
    "Environment": _take_variable,
    "RunIf": _take_condition,
}


def _resolved(source: Path, word: str) -> str:
    """A path counts from the file that holds it; a bare name is left for PATH."""
    return str((source.parent / word).absolute()) if "/" in word else word


def _definition(reading: _Reading, content: bytes) -> TaskDefinition | None:
    values, path = reading.values, reading.path
    if "name" not in values and "name" not in reading.lines:
        try:
            values["name"] = keys.task_name(path.stem)
        except ValueError as error:
            reading.refuse(0, "the task has no Name, and the file's name can't serve as one", expected=str(error))
    command: tuple[str, ...] = values.get("command", ())
    module: str | None = values.get("module")
    if module is None and "command" not in reading.lines:
        # With a name that is unknown, that is probably the one that was meant to say it.
        if not any(problem.key for problem in reading.problems):
            reading.refuse(0, "nothing says what to run", expected="Command in [Command], or Module in [Python]")
        return None
    if module is not None and command:
        reading.refuse(
            reading.lines["module"], "a task has either a Command or a Module", key="Module", expected="one of them"
        )
        return None
    if module is None and not command:
        reading.refuse(reading.lines["command"], "Command has no value", key="Command", expected="a command")
        return None
    for word in (*command, *values.get("args", ())):
        _look_at_argument(reading, word)
    python: _PythonParts | None = None
    if module is not None:
        python = _python_parts(reading, module)
    if (module is not None and python is None) or any(not problem.warning for problem in reading.problems):
        return None
    return TaskDefinition(
        name=values["name"],
        description=values.get("description", ""),
        command=_resolved(path, command[0]) if command else "",
        args=(*command[1:], *values.get("args", ())),
        checks=tuple(reading.checks.values()),
        environment=reading.environment,
        service=service_settings(values, path),
        labels=dict(values.get("labels", ())),
        run_if=reading.run_if,
        requires=values.get("requires", ()),
        tty=values.get("tty", False),
        source=path,
        line=reading.lines.get("name", 0) or reading.lines.get("command", 0),
        kind=DefinitionKind.PYTHON if python else DefinitionKind.EXECUTABLE,
        module_path=python.module_path if python else None,
        function=python.function if python else None,
        is_async=python is not None and python.is_async,
        digest=digest_of(content, python.content) if python else digest_of(content),
    )


class _PythonParts(NamedTuple):
    module_path: Path
    function: str
    is_async: bool
    content: bytes


def _look_at_argument(reading: _Reading, word: str) -> None:
    line = reading.lines.get("args", reading.lines.get("command", 0))
    try:
        found = references(word)
    except ValueError:
        reading.refuse(line, f"{word!r} holds a broken reference", key="Args", expected=REFERENCE_EXPECTED)
        return
    for reference in found:
        if reference.secret:
            reading.refuse(
                line,
                f"the secret {reference.name} stands in a command line, which every user of the host can read",
                key="Args",
                expected=f"it in [Environment], such as TOKEN=${{secret:{reference.name}}}",
            )


def _python_parts(reading: _Reading, module: str) -> _PythonParts | None:
    """The function that `[Python]` names, found in its module without importing it."""
    # Here, since the parser of Python is only needed by the few files that name a function.
    from shepherd.definitions.python_source import functions_of

    line = reading.lines["module"]
    path = (reading.path.parent / module).absolute()
    try:
        content = path.read_bytes()
    except OSError as error:
        reading.refuse(line, f"{path} can't be read: {error.strerror}", key="Module", expected="a Python file")
        return None
    try:
        functions = functions_of(content, path)
    except SyntaxError as error:
        reading.refuse(line, f"{path}:{error.lineno}: {error.msg}", key="Module", expected="valid Python")
        return None
    name: str = reading.values.get("function", reading.values.get("name", ""))
    if name not in functions:
        reading.refuse(
            reading.lines.get("function", line),
            f"{path.name} has no function {name}",
            key="Function",
            expected="a function of the module: " + (", ".join(functions) or "it has none"),
            nearest=nearest_name(name, functions),
        )
        return None
    return _PythonParts(path, name, functions[name], content)


_SERVICE_FIELDS = tuple(ServiceSettings.__dataclass_fields__)


def service_settings(values: dict[str, Any], source: Path) -> ServiceSettings:
    """The settings among values that were read; a working directory counts from the file that names it."""
    given = {name: values[name] for name in _SERVICE_FIELDS if name in values}
    if "working_directory" in given:
        given["working_directory"] = (source.parent / given["working_directory"]).absolute()
    return ServiceSettings(**given)
