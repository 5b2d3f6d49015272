from __future__ import annotations

import json
from pathlib import Path

import pytest

from shepherd.definitions.definition import DefinitionKind, TaskDefinition
from shepherd.definitions.task_file import read_task_file
from shepherd.definitions.task_file_problems import Problem

FILE = Path("/tasks/report.task")

WHOLE = """\
[Task]
Name=render-report
Description=Make the report page
Labels=team=docs kind=page

[Command]
Command=pandoc
Args=site.md -o site.html

[Checks]
pandoc=./check-pandoc.sh --quick

[Environment]
LANG=C.UTF-8
TOKEN=${secret:report-token}

[Service]
User=test
WorkingDirectory=/work
Restart=5
RetryDelay=2s
MaxTime=2m
LimitMem=512M
LimitDisk=1G
LimitCPU=1
Isolation=jail
Network=none
"""


def good(text: str, path: Path = FILE) -> TaskDefinition:
    definition, problems = read_task_file(path, text.encode())
    assert [str(problem) for problem in problems if not problem.warning] == []
    assert definition is not None
    return definition


def bad(text: str | bytes) -> list[Problem]:
    definition, problems = read_task_file(FILE, text if isinstance(text, bytes) else text.encode())
    assert definition is None
    assert problems
    return problems


def command(text: str) -> str:
    return f"[Command]\nCommand=true\n{text}"


def test_the_file_of_the_handbook() -> None:
    task = good(WHOLE)
    assert (task.name, task.description, task.kind) == (
        "render-report",
        "Make the report page",
        DefinitionKind.EXECUTABLE,
    )
    assert (task.command, task.args) == ("pandoc", ("site.md", "-o", "site.html"))
    assert task.labels == {"team": "docs", "kind": "page"}
    assert [(check.name, check.script) for check in task.checks] == [("pandoc", "/tasks/check-pandoc.sh --quick")]
    assert task.environment == {"LANG": "C.UTF-8", "TOKEN": "${secret:report-token}"}
    service = task.service
    assert (service.user, service.working_directory, service.restart) == ("test", Path("/work"), 5)
    assert (service.retry_delay, service.max_time, service.limit_mem) == (2, 120, 512 * 1024**2)
    assert (service.limit_disk, service.limit_cpu) == (1024**3, 1)
    assert (service.isolation, service.network, service.kill_signal) == ("jail", "none", "SIGTERM")


def test_systemd_manners() -> None:
    task = good(
        '[task]\nname = "a"  # the name\n[COMMAND]\ncommand="echo" # x\nargs=one\nArgs=\'two # three\'\n'
        "[service]\nmax_time=infinity\nrestart=never\nlimit-mem=infinity\nKILLSIGNAL=int\n"
    )
    assert (task.name, task.command, task.args) == ("a", "echo", ("one", "two # three"))
    assert (task.service.max_time, task.service.restart, task.service.limit_mem) == (None, 0, None)
    assert task.service.kill_signal == "SIGINT"


def test_an_empty_value_clears_a_repeated_key() -> None:
    assert good(command("Args=a b\nArgs=\nArgs=c")).args == ("c",)


def test_the_file_name_is_the_name_where_none_is_given() -> None:
    assert good(command("")).name == "report"


def test_words_of_the_command_come_before_the_args() -> None:
    task = good("[Command]\nCommand=./run.sh 'a b'\nArgs=c")
    assert (task.command, task.args) == ("/tasks/run.sh", ("a b", "c"))


def test_restart_without_end() -> None:
    for word in ("infinity", "on-failure"):
        policy = json.loads(good(command(f"[Service]\nRestart={word}")).retry_policy_json() or "")
        assert policy["stop"]["max_attempts"] is None


@pytest.mark.parametrize(
    ("text", "line", "key", "expected", "nearest"),
    [
        (command("[Service]\nRestrat=3"), 4, "Restrat", "one of User", "Restart"),
        (command("[Service]\nRestart=often"), 4, "Restart", "a number of retries", ""),
        (command("[Service]\nMaxTime=soon"), 4, "MaxTime", "a time", ""),
        (command("[Service]\nMaxTime=0"), 4, "MaxTime", "more than 0", ""),
        (command("[Service]\nRetryDelay=never"), 4, "RetryDelay", "not without end", ""),
        (command("[Service]\nLimitMem=much"), 4, "LimitMem", "a size", ""),
        (command("[Service]\nIsolation=gaol"), 4, "Isolation", "process, resident, jail", ""),
        (command("[Service]\nIsolation=jial"), 4, "Isolation", "jail", "jail"),
        (command("[Service]\nKillSignal=SIGTREM"), 4, "KillSignal", "SIGTERM", "SIGTERM"),
        (command("[Service]\nNice=50"), 4, "Nice", "-20", ""),
        (command("[Service]\nRestartSec=2"), 4, "RestartSec", "one of", "RetryDelay"),
        (command("[Service]\nMemoryMax=2G"), 4, "MemoryMax", "one of", "LimitMem"),
        (command("[Task]\nArgs=x"), 4, "Args", "one of Name", "Args (in [Command])"),
        (command("[Servise]\nRestart=3"), 3, "Servise", "[Service]", "[Service]"),
        (command("Command=false"), 3, "Command", "one Command", ""),
        ("[Command]\nCommand=", 2, "Command", "a command", ""),
        (command('Args="never closed'), 3, "Args", "closed quotes", ""),
        (command("Args=--token=${secret:t}"), 3, "Args", "[Environment]", ""),
        (command("Args=${unclosed"), 3, "Args", "${NAME}", ""),
        (command("[Environment]\nA B=1"), 4, "A B", "a variable name", ""),
        (command("[Environment]\nAZOLLA_ARGS=1"), 4, "AZOLLA_ARGS", "another name", ""),
        (command("[Environment]\nA=${secret:}"), 4, "A", "${NAME}", ""),
        (command("[Checks]\na=x\na=y"), 5, "a", "another name", ""),
        (command("[Checks]\na="), 4, "a", "a command line", ""),
        (command("[Task]\nName=two words"), 4, "Name", "letters", ""),
        (command("[Task]\nLabels=novalue"), 4, "Labels", "team=docs", ""),
        (command("what is this"), 3, "", "Key=value", ""),
    ],
)
def test_every_mistake_has_its_line(text: str, line: int, key: str, expected: str, nearest: str) -> None:
    (problem,) = bad(text)
    assert (problem.line, problem.key, problem.nearest) == (line, key, nearest)
    assert expected in problem.expected
    assert str(problem).startswith(f"{FILE}:{line}: ")


def test_all_mistakes_are_told_at_once() -> None:
    assert [problem.line for problem in bad(command("[Service]\nRestart=x\nNope=1\n[What]\n"))] == [4, 5, 6]


def test_nothing_to_run() -> None:
    (problem,) = bad("[Task]\nName=a\n")
    assert "nothing says what to run" in problem.message


def test_what_is_no_text() -> None:
    (problem,) = bad(b"[Command]\nCommand=\xff\n")
    assert (problem.line, problem.message) == (2, "this is no UTF-8 text")
    assert "no task file" in bad("[Command]\nCommand=a\0b")[0].message


def test_conditions_and_dependencies_are_kept_with_a_warning() -> None:
    definition, problems = read_task_file(
        FILE, command("[RunIf]\nPathExists=/data\n[Dependencies]\nRequires=a b\nRequires=c").encode()
    )
    assert definition is not None
    assert (definition.run_if, definition.requires) == ({"PathExists": "/data"}, ("a", "b", "c"))
    assert [(problem.warning, problem.line) for problem in problems] == [(True, 3)]


def test_a_terminal_is_kept_with_a_warning() -> None:
    definition, (problem,) = read_task_file(FILE, command("TTY=yes").encode())
    assert definition is not None
    assert definition.tty
    assert (problem.warning, problem.line) == (True, 3)


def test_a_python_function(tmp_path: Path) -> None:
    (tmp_path / "render.py").write_text("async def page(x): ...\n")
    path = tmp_path / "a.task"
    task = good("[Python]\nModule=render.py\nFunction=page\n", path)
    assert (task.kind, task.module_path, task.function, task.is_async) == (
        "python",
        tmp_path / "render.py",
        "page",
        True,
    )
    before = task.digest
    (tmp_path / "render.py").write_text("async def page(x): return 1\n")
    assert good("[Python]\nModule=render.py\nFunction=page\n", path).digest != before


@pytest.mark.parametrize(
    ("module", "message", "nearest"),
    [
        ("Module=none.py", "can't be read", ""),
        ("Module=render.py\nFunction=pag", "has no function pag", "page"),
        ("Module=broken.py\nFunction=f", "broken.py:1: ", ""),
        ("Module=render.py\nFunction=page\n[Command]\nCommand=true", "either a Command or a Module", ""),
    ],
)
def test_a_python_function_that_isnt_there(tmp_path: Path, module: str, message: str, nearest: str) -> None:
    (tmp_path / "render.py").write_text("def page(x): ...\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    definition, (problem,) = read_task_file(tmp_path / "a.task", f"[Python]\n{module}\n".encode())
    assert definition is None
    assert message in problem.message
    assert problem.nearest == nearest


def test_the_digest_follows_the_content() -> None:
    assert good(command("")).digest != good(command("# note")).digest
