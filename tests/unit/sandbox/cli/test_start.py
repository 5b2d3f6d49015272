"""What every call of the command line shares: help, speed, mistakes, bugs, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.cli import app, loading
from sandbox.cli.app import command_word, main
from sandbox.cli.command_table import COMMANDS
from sandbox.cli.invocation import Invocation
from sandbox.errors import PortTaken
from tests.unit.sandbox.cli.conftest import Run

HEAVY = {"httpx", "grpc", "fastapi", "pydantic", "starlette", "rich", "typer", "orjson", "structlog"}
MODULES = Path(app.__file__).parent / "commands"


@pytest.mark.parametrize("words", [["--help"], [], ["help", "exit-codes"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from sandbox.cli.app import main; main(sys.argv[1:]);"
        "print(*sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(ran.stderr.split())
    assert "sandbox" in ran.stderr.split()


def test_help_of_a_command_imports_no_other_and_no_client() -> None:
    code = "import sys; from sandbox.cli.app import main; main(['ls', '--help']); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(ran.stderr.split())
    assert "sandbox.cli.commands.ls" in modules
    assert {"httpx", "grpc", "fastapi", "rich"}.isdisjoint(modules)  # Typer itself brings pydantic
    assert "sandbox.cli.commands.run" not in modules


def test_the_overview_names_every_command(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in said.out] == []
    assert run().out == run("help").out == said.out


def test_the_table_and_the_modules_agree() -> None:
    texts = {path.stem: path.read_text() for path in MODULES.glob("*.py")}
    commands = {name for name, text in texts.items() if "\ndef command(" in text or "\napp = " in text}
    assert {entry.module for entry in COMMANDS.values()} == commands


@pytest.mark.parametrize(
    "name", [name for name, entry in COMMANDS.items() if (MODULES / f"{entry.module}.py").exists()]
)
def test_every_command_has_help(run: Run, name: str) -> None:
    said = run(name, "--help")
    assert said.code == 0
    assert f"Usage: azolla-local {name}" in said.out
    assert "\x1b" not in said.out
    assert run("help", name).out == said.out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ls"], "ls"),
        (["--env", "ls", "run"], "run"),
        (["--env=x", "--json", "run"], "run"),
        (["--json"], None),
        (["--", "ls"], "ls"),
        (["--url", "u"], None),
    ],
)
def test_the_command_is_found_among_options(words: list[str], found: str | None) -> None:
    assert command_word(words) == found


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["lss"], "azolla-local ls"),
        (["ps"], "azolla-local ls"),
        (["stop"], "azolla-local down"),
        (["xyzzy"], "azolla-local --help"),
        (["ls", "--statu", "x"], "azolla-local ls --status"),
        (["submit", "add", "-1"], "after -- nothing is an option"),
        (["help", "exit-code"], "azolla-local help exit-codes"),
        (["ls", "--limit", "many"], "azolla-local ls --help"),
        (["show"], "azolla-local show --help"),
    ],
)
def test_mistakes_on_the_command_line_are_exit_2_with_a_hint(run: Run, words: list[str], text: str) -> None:
    said = run(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert text in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words", [["run"], ["run", "--nope"], ["wait"], ["wait", "--timeout", "soon", "x"], ["run", "add"]]
)
def test_run_and_wait_fail_themselves_with_125(run: Run, words: list[str]) -> None:
    assert run("--url", "http://127.0.0.1:1", *words).code == 125


def test_nothing_answers(run: Run) -> None:
    said = run("--url", "http://127.0.0.1:1", "ls")
    assert (said.code, said.out) == (6, "")
    assert said.err.splitlines()[-1] == "  try: azolla-local up"


def test_errors_in_json(run: Run) -> None:
    said = run("--json", "ls", "--url", "http://127.0.0.1:1")
    found = json.loads(said.err)["error"]
    assert (found["code"], found["hint"]) == ("unavailable.orchestrator", "azolla-local up")


def test_names_of_environments_are_checked(run: Run) -> None:
    assert run("--env", "../x", "ls").code == 2


def test_a_bug_is_a_sentence_and_a_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "s3cr3t"

    def broken(inv: Invocation) -> None:
        assert secret
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("sandbox.cli.commands.why.command", broken)
    said = run("why")
    assert said.code == 70
    assert "Traceback" not in said.err
    assert "ZeroDivisionError: oops" in said.err
    report = Path(said.err.split("the file ")[1].strip()).read_text()
    assert "Traceback" in report
    assert "command   azolla-local why" in report
    assert secret not in report


def test_errors_of_any_package_are_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(inv: Invocation) -> None:
        raise PortTaken("The port is taken", subject="52710", why="nginx (pid 7)\nlistens there", hint="--port 0")

    monkeypatch.setattr("sandbox.cli.commands.why.command", taken)
    said = run("why")
    assert said.code == 5
    assert said.err == (
        "error: The port is taken (52710)\n  because nginx (pid 7)\n          listens there\n  try: --port 0\n"
    )


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(inv: Invocation) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.cli.commands.why.command", interrupted)
    assert main(["why"]) == 130


def test_shared_options_count_before_and_after_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Invocation] = []

    def see(inv: Invocation) -> None:
        seen.append(inv)

    monkeypatch.setattr("sandbox.cli.commands.why.command", see)
    monkeypatch.setenv("AZOLLA_LOCAL_ENV", "from-outside")
    run("why")
    run("--env", "a", "--json", "why", "-q")
    run("--env", "a", "why", "--env", "b", "--url", "u", "--no-color")
    assert [(inv.env, inv.url, inv.json, inv.quiet, inv.color) for inv in seen] == [
        ("from-outside", None, False, False, None),
        ("a", None, True, True, None),
        ("b", "u", False, False, False),
    ]


def test_commands_of_groups_get_the_shared_options_once(run: Run) -> None:
    for _ in range(2):
        said = run("id", "explain", "--help")
        assert said.out.count("--env NAME") == 1
    assert loading is not None


def test_help_of_exit_codes_lists_every_code_of_the_errors(run: Run) -> None:
    from sandbox import errors

    def codes(kind: type[errors.SandboxError]) -> set[int]:
        return {kind.exit_code}.union(*(codes(found) for found in kind.__subclasses__()))

    said = run("help", "exit-codes").out
    assert [code for code in sorted(codes(errors.SandboxError)) if f"\n  {code} " not in said] == []


def test_the_module_can_be_run() -> None:
    ran = subprocess.run([sys.executable, "-m", "sandbox", "xyzzy"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")


@pytest.mark.parametrize(
    ("line", "found"),
    [("azolla-local su", "submit"), ("azolla-local ls --st", "--status"), ("azolla-local ls -s ti", "timed-out")],
)
def test_the_shell_completes(line: str, found: str) -> None:
    words = line.split()
    environ = os.environ | {
        "_AZOLLA_LOCAL_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "AZOLLA_LOCAL_URL": "http://127.0.0.1:1",
    }
    ran = subprocess.run([sys.executable, "-m", "sandbox"], capture_output=True, text=True, env=environ, check=False)
    assert (ran.stdout.split(), ran.stderr, ran.returncode) == ([found], "", 0)


def test_suggested_commands_name_the_environment_that_was_named(run: Run) -> None:
    for words in (["--env", "other", "ls"], ["ls", "--env=other"]):
        said = run("--url", "http://127.0.0.1:1", *words)
        assert said.err.splitlines()[-1] == "  try: azolla-local --env other up"
