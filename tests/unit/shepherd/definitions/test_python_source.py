from __future__ import annotations

from pathlib import Path

import pytest

from shepherd.definitions.definition import TaskDefinition
from shepherd.definitions.python_source import may_hold_tasks, read_module

FILE = Path("/tasks/work.py")


def tasks(source: str, path: Path = FILE) -> dict[str, TaskDefinition]:
    module = read_module(path, source.encode())
    assert module.problems == []
    return {definition.name: definition for definition in module.definitions}


@pytest.mark.parametrize(
    "head",
    [
        "from sandbox import task\n@task",
        "from sandbox import task as t\n@t",
        "from sandbox import task\n@task()",
        "import sandbox\n@sandbox.task",
        "import sandbox as s\n@s.task()",
        "from shepherd.definitions import task\n@task",
        "from azolla import azolla_task\n@azolla_task",
        "import azolla\n@azolla.azolla_task",
        "import functools\nfrom sandbox import task\n@task\n@functools.cache",
    ],
)
def test_the_decorator_by_any_name(head: str) -> None:
    assert may_hold_tasks(head.encode())
    assert list(tasks(f"{head}\nasync def f(): ...\n")) == ["f"]


@pytest.mark.parametrize(
    "head", ["from elsewhere import task\n@task", "task = lambda f: f\n@task", "from sandbox import Context\n@Context"]
)
def test_other_decorators(head: str) -> None:
    assert tasks(f"{head}\ndef f(): ...\n") == {}


def test_options() -> None:
    (task,) = tasks(
        "from sandbox import task\n"
        "@task(name='render', isolation='resident', max_time='2m', retries=3, retry_delay=0.5,\n"
        "      retry_on=[ValueError, 'KeyError', json.JSONDecodeError], labels={'team': 'docs'},\n"
        "      environment={'A': '${B}'}, limit_mem='512M', limit_pids=20, limit_cpu=0.5, nice=5, grace=None,\n"
        "      checks={'disk': './check.sh 1G'})\n"
        "def f(x):\n    '''Make a page.\n\n    More.'''\n"
    ).values()
    assert (task.name, task.function, task.description, task.is_async) == ("render", "f", "Make a page.", False)
    service = task.service
    assert (service.isolation, service.max_time, service.restart, service.retry_delay) == ("resident", 120, 3, 0.5)
    assert (service.limit_mem, service.limit_pids, service.limit_cpu, service.nice) == (512 * 1024**2, 20, 0.5, 5)
    assert task.retry_on == ("ValueError", "KeyError", "JSONDecodeError")
    assert (task.labels, task.environment) == ({"team": "docs"}, {"A": "${B}"})
    assert task.checks[0].script == "/tasks/check.sh 1G"
    assert task.line == 6


@pytest.mark.parametrize(
    ("options", "key", "expected", "nearest"),
    [
        ("retry=3", "retry", "one of", "retries"),
        ("name=NAME", "name", "a text", ""),
        ("max_time=2 * 60", "max_time", "literal", ""),
        ("max_time='soon'", "max_time", "a time", ""),
        ("max_time=True", "max_time", "a text or a number", ""),
        ("isolation='proces'", "isolation", "process", "process"),
        ("retries=1.5", "retries", "whole number", ""),
        ("retry_on=[]", "retry_on", "error types", ""),
        ("labels=['a']", "labels", "texts by name", ""),
        ("labels={'a': 1}", "labels", "texts by name", ""),
        ("environment={'A-B': 'x'}", "environment", "a variable name", ""),
        ("environment={'A': '${'}", "environment", "${NAME}", ""),
        ("checks={'a': ''}", "checks", "command lines", ""),
        ("'positional'", "", "options by name", ""),
        ("**options", "", "one by one", ""),
    ],
)
def test_wrong_options_have_their_line(options: str, key: str, expected: str, nearest: str) -> None:
    module = read_module(FILE, f"from sandbox import task\n\n@task(\n    {options}\n)\ndef f(): ...\n".encode())
    assert module.definitions == []
    (problem,) = module.problems
    assert (problem.line, problem.key, problem.nearest) == (4, key, nearest)
    assert expected in problem.expected


def test_within_if_and_try() -> None:
    source = "from sandbox import task\nif 1:\n    @task\n    def a(): ...\nelse:\n    pass\n"
    source += "try:\n    import x\nexcept ImportError:\n    @task\n    def b(): ...\n"
    assert set(tasks(source)) == {"a", "b"}


def test_what_a_worker_couldnt_find() -> None:
    source = "from sandbox import task\nclass A:\n    @task\n    def m(self): ...\n@task\nclass B: ...\n"
    module = read_module(FILE, source.encode())
    assert module.definitions == []
    assert [(problem.line, problem.expected) for problem in module.problems] == [
        (6, "a function at the top level"),
        (4, "a function at the top level"),
    ]


def test_a_syntax_error() -> None:
    (problem,) = read_module(FILE, b"from sandbox import task\n@task\ndef f(:\n").problems
    assert (problem.line, problem.expected) == (3, "valid Python")


def test_the_digest_follows_neighbours(tmp_path: Path) -> None:
    source = "from sandbox import task\nimport helper, json\n@task\ndef f(): ...\n"
    helper, deeper = tmp_path / "helper.py", tmp_path / "deeper" / "__init__.py"
    helper.write_text("from deeper import x\n")
    deeper.parent.mkdir()
    deeper.write_text("x = 1\n")
    path = tmp_path / "work.py"
    module = read_module(path, source.encode())
    assert module.neighbours == {helper, deeper}
    deeper.write_text("x = 2\n")
    assert tasks(source, path)["f"].digest != module.definitions[0].digest
