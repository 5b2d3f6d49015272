"""Whole workers of the tier `process`."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest


def script(folder: Path, text: str, *, mode: int = 0o755) -> str:
    path = folder / "script"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_python_task(desk: Any) -> None:
    ended = desk.run(
        "from sandbox import task, Context\nimport os\n@task\ndef f(ctx: Context, x, y=2):\n"
        "    print('out', ctx.task_id, ctx.attempt, ctx.name)\n    ctx.heartbeat('half')\n"
        "    ctx.logger.warning('careful')\n"
        "    return [x, y, os.environ['A'], str(ctx.work_folder), os.getcwd(), ctx.deadline.year, ctx.labels]\n",
        args="[1]",
        environment={"A": "b"},
        deadline_ms=4_000_000_000_000,
        labels={"k": "v"},
    )
    assert ended.status == 0
    assert ended.result == [1, 2, "b", str(desk.work), str(desk.work), 2096, {"k": "v"}]
    assert ended.out == "out t-1 2 some-task\n"
    assert ended.err.endswith("WARNING careful\n")
    assert json.loads((desk.control / "heartbeat.json").read_text())["note"] == "half"
    assert ended.outcome["started_ms"] <= ended.outcome["ended_ms"]
    assert not list(desk.control.glob("*.new"))


def test_an_async_task(desk: Any) -> None:
    source = "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1\n"
    assert desk.run(source, is_async=True).result == 1


def test_a_failure_has_its_traceback_in_the_log(desk: Any) -> None:
    ended = desk.run("def f(): raise ValueError('no')\n")
    assert ended.status == 0
    assert (ended.error["type"], ended.error["message"]) == ("ValueError", "no")
    assert ended.err.startswith("Traceback")
    assert "one_attempt" not in ended.err


def test_asking_for_a_retry(desk: Any) -> None:
    ended = desk.run("from sandbox import Retry\ndef f(): raise Retry(after=5, reason='busy')\n")
    assert (ended.outcome["retry"], ended.outcome["retry_after_s"], ended.error["message"]) == (True, 5, "busy")


def test_packages_of_the_interpreter_can_be_imported(desk: Any) -> None:
    assert desk.run("import orjson, site\ndef f(): return orjson.__name__\n").result == "orjson"


@pytest.mark.parametrize("is_async", [False, True])
def test_sigterm_runs_finally_blocks(desk: Any, is_async: bool) -> None:
    wait = "await asyncio.sleep(60)" if is_async else "time.sleep(60)"
    source = f"import asyncio, time\n{'async ' if is_async else ''}def f(ctx):\n    try:\n"
    source += f"        print('on', flush=True)\n        {wait}\n    finally:\n        print('clean', ctx.cancelled)\n"
    (desk.folder / "work.py").write_text(source)
    process = desk.start(is_async=is_async)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    os.killpg(process.pid, signal.SIGTERM)
    ended = desk.finish(process)
    assert ended.out == "clean True\n"
    assert (ended.status, ended.error["type"]) == (0, "Cancelled")


def test_a_fork_that_returns_writes_no_outcome(desk: Any) -> None:
    source = "import os\ndef f():\n    pid = os.fork()\n    if pid: os.waitpid(pid, 0)\n    return 'child' if pid == 0 else 'parent'\n"
    assert desk.run(source).result == "parent"


def test_an_executable(desk: Any) -> None:
    ended = desk.shell(
        "cat $AZOLLA_ARGS $AZOLLA_KWARGS; echo $AZOLLA_TASK_ID $AZOLLA_ATTEMPT $A >&2; pwd; printf '{\"n\": 3}\\n' > $AZOLLA_RESULT",
        args="[1]",
        kwargs='{"a":2}',
        environment={"A": "b"},
    )
    assert ended.result == {"n": 3}
    assert ended.out == f'[1]{{"a":2}}{desk.work}\n'
    assert ended.err == "t-1 2 b\n"
    assert ended.outcome["exit_code"] == 0


def test_no_result_is_null(desk: Any) -> None:
    assert desk.command("true").result is None


def test_references_in_the_command_line(desk: Any) -> None:
    assert desk.command("echo", "${A}-$${A}", environment={"A": "b"}).out == "b-${A}\n"
    assert desk.command("echo", "${NOPE}").error["type"] == "MissingVariable"


@pytest.mark.parametrize(
    ("line", "error_type", "code"),
    [
        ("exit 3", "ExitCode", 3),
        ("kill -9 $$", "Signal", 137),
        ("echo '[1' > $AZOLLA_RESULT", "ResultNotSerializable", 0),
    ],
)
def test_how_a_command_fails(desk: Any, line: str, error_type: str, code: int) -> None:
    ended = desk.shell(line)
    assert (ended.error["type"], ended.outcome["exit_code"]) == (error_type, code)


def test_exit_75_asks_for_a_retry(desk: Any) -> None:
    ended = desk.shell("exit 75")
    assert (ended.outcome["retry"], ended.outcome["retry_after_s"]) == (True, None)


def test_commands_that_cant_be_started(desk: Any, tmp_path: Path) -> None:
    cases = [
        ("no-such-command-here", "CommandNotFound", 127, "PATH"),
        (str(tmp_path / "none"), "CommandNotFound", 127, "isn't there"),
        (str(tmp_path), "CommandNotExecutable", 126, "is a folder"),
        (script(tmp_path, "#!/bin/sh\n", mode=0o644), "CommandNotExecutable", 126, "chmod +x"),
    ]
    for command, error_type, code, message in cases:
        ended = desk.command(command)
        assert (ended.error["type"], ended.outcome["exit_code"]) == (error_type, code), command
        assert message in ended.error["message"]
    assert "/no/such/interpreter" in desk.command(script(tmp_path, "#!/no/such/interpreter\n")).error["message"]
    assert "#!/bin/sh" in desk.command(script(tmp_path, "just text\n")).error["message"]


def test_a_working_directory_that_isnt_there(desk: Any) -> None:
    assert desk.command("true", working_directory="/no/such/place").error["type"] == "WorkingDirectoryNotFound"


def test_checks_run_in_order_and_the_first_that_fails_ends_the_attempt(desk: Any) -> None:
    checks = [
        {"name": "one", "script": "echo 'first  check'"},
        {"name": "two", "script": "sh -c 'echo too little disk; exit 2'"},
        {"name": "three", "script": "echo never"},
    ]
    ended = desk.command("echo", "command", checks=checks)
    assert (ended.error["type"], ended.error["message"]) == ("CheckFailed", "two left with status 2")
    assert json.loads(ended.error["data_json"]) == {"check": "two"}
    assert ended.out == "first  check\ntoo little disk\n"
    assert desk.command("echo", "command", checks=checks[:1]).out == "first  check\ncommand\n"
    missing = desk.run("def f(): print('no')\n", checks=[{"name": "tool", "script": "no-such-command-here"}])
    assert missing.error["type"] == "CheckFailed"
    assert "tool: no command no-such-command-here" in missing.error["message"]
    assert missing.out == ""


def test_the_outcome_survives_a_signal_to_the_whole_group(desk: Any) -> None:
    process = desk.start(
        kind="executable", command="sh", args_list=["-c", "trap 'echo bye; exit 4' TERM; echo on; while :; do :; done"]
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    os.killpg(process.pid, signal.SIGTERM)
    ended = desk.finish(process)
    assert (ended.out, ended.outcome["exit_code"]) == ("bye\n", 4)


def test_a_command_starts_with_the_default_signals(desk: Any) -> None:
    ended = desk.shell("kill -TERM $$")
    assert (ended.outcome["signal"], ended.error["message"]) == (15, "sh was ended by signal 15 (SIGTERM)")


def test_an_assignment_that_cant_be_read(desk: Any) -> None:
    process = desk.start(control_folder=None)
    ended = desk.finish(process)
    assert (ended.status, ended.outcome) == (2, None)
