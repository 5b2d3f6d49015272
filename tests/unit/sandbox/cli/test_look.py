"""ls, show, why, logs, audit, sql, id, and completion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from logsinks.record import Stream
from sandbox.cli import completion
from sandbox.cli.invocation import Invocation
from sandbox.model.status import TaskStatus
from tests.unit.sandbox.api.fake_services import FakeServices, line, record, task_id
from tests.unit.sandbox.cli.conftest import Run


@pytest.fixture
def some(services: FakeServices, run: Run) -> FakeServices:
    for words in (["add", "1"], ["exit", "3"], ["later"]):
        run("submit", *words)
    return services


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the captured streams look like a terminal."""
    monkeypatch.setattr("sandbox.cli.output._is_terminal", lambda _: True)


def test_ls_off_a_terminal_is_tab_separated(run: Run, some: FakeServices) -> None:
    rows = [row.split("\t") for row in run("ls").out.splitlines()]
    assert rows[0] == ["task", "status", "name", "attempt", "age", "took", "remark"]
    assert [row[:4] for row in rows[1:]] == [
        [task_id(3), "pending", "later", "0"],
        [task_id(2), "dead", "exit", "1"],
        [task_id(1), "succeeded", "add", "1"],
    ]
    assert rows[2][5:] == ["1.5 s", "ExitCode: it left"]


def test_ls_in_other_forms(run: Run, some: FakeServices) -> None:
    assert run("ls", "-q").out.splitlines() == [task_id(n) for n in (3, 2, 1)]
    assert [json.loads(row)["name"] for row in run("ls", "--json").out.splitlines()] == ["later", "exit", "add"]
    assert run("ls", "-n", "1", "-q").out.splitlines() == [task_id(3)]
    assert "\x1b" not in run("ls").out


def test_ls_filters_arrive(run: Run, some: FakeServices) -> None:
    run(
        "ls",
        "-s",
        "dead",
        "-s",
        "failed",
        "--name",
        "a*",
        "--domain",
        "d",
        "--queue",
        "q",
        "--label",
        "k=v",
        "--since",
        "1h",
    )
    which = some.tasks.filters[-1][0]
    assert (which.statuses, which.name) == ((TaskStatus.DEAD, TaskStatus.FAILED), "a*")
    assert (which.domain, which.queue, which.labels) == ("d", "q", {"k": "v"})
    assert which.created_from_ms is not None
    wrong = run("ls", "-s", "ded")
    assert (wrong.code, "There is no such status (ded)" in wrong.err) == (2, True)


def test_ls_all_goes_over_pages(run: Run, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli.commands.ls._PAGE", 2)
    for number in range(1, 6):
        services.tasks.add(record(number))
    assert len(run("ls", "--all", "-q").out.splitlines()) == 5


def test_ls_on_a_terminal_is_a_table_that_fits(run: Run, some: FakeServices, terminal: None) -> None:
    some.tasks.end(task_id(3), TaskStatus.FAILED, error_type="ValueError", error_message="x" * 100 + "\x1b[2J")
    rows = run("ls", "--no-color").out.splitlines()
    assert rows[0].split() == ["TASK", "STATUS", "NAME", "ATTEMPT", "AGE", "TOOK", "REMARK"]
    assert rows[1].endswith("…")
    assert "\x1b" not in "".join(rows)
    assert "\x1b[32msucceeded" in run("ls").out


def test_no_color(run: Run, some: FakeServices, terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("ls").out
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in run("ls").out


def test_watch_needs_a_terminal(run: Run, some: FakeServices) -> None:
    assert run("ls", "-w").code == 2


def test_watch_draws_until_interrupted(
    run: Run, some: FakeServices, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws: list[float] = []

    def pause(seconds: float) -> None:
        draws.append(seconds)
        if len(draws) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pause)
    said = run("ls", "-w")
    assert (said.code, said.out.count("\x1b[2J")) == (0, 2)


def test_definitions(run: Run, services: FakeServices) -> None:
    said = run("ls", "--definitions")
    assert said.out.splitlines()[1] == "add\tpython\t\t/tasks/add.py"
    assert "problem: /tasks/broken.task:3: no such key" in said.err
    assert run("ls", "--definitions", "-q").out.splitlines()[0] == "add"


def test_show(run: Run, some: FakeServices) -> None:
    said = run("show", task_id(2))
    assert said.code == 0
    assert said.out.splitlines()[0] == "exit  dead"
    assert "args            [3]" in said.out
    assert "error           ExitCode: it left" in said.out
    [attempt] = [row for row in said.out.splitlines() if "━" in row]
    assert attempt.split()[-3:] == ["exit", "3,", "ExitCode"] or "exit 3, ExitCode" in attempt
    assert json.loads(run("show", task_id(1), "--json").out)["result"] == 1
    assert run("show", task_id(1), task_id(3)).out.count("created") == 2
    assert run("show", "ff").code == 3


def test_an_ambiguous_prefix_names_the_candidates(run: Run, some: FakeServices) -> None:
    said = run("show", "0000")
    assert said.code == 5
    assert task_id(2) in said.err


def test_control_sequences_of_tasks_reach_no_terminal(run: Run, services: FakeServices, terminal: None) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J"
    services.tasks.add(
        record(1, name=f"n{evil}", result=json.dumps(evil), labels={"a": evil}, status=TaskStatus.SUCCEEDED)
    )
    services.tasks.add(record(2, error_type=f"E{evil}", error_message=evil, status=TaskStatus.FAILED))
    for words in (
        ["ls"],
        ["show", task_id(1)],
        ["show", task_id(2)],
        ["audit"],
        ["wait", task_id(1)],
        ["wait", task_id(2)],
    ):
        said = run("--no-color", *words)
        assert "\x1b" not in said.out, words
        for part in ("\x1b]", "\x1b[2J", "\x07"):  # the bar of `wait` has sequences of its own on stderr
            assert part not in said.out + said.err, words


def test_why(run: Run, some: FakeServices) -> None:
    assert run("why", task_id(3)).out == "pending: No shepherd is connected.\n  try: azolla-local up\n"
    assert json.loads(run("why", task_id(3), "--json").out)["sentence"] == "No shepherd is connected."


def test_logs_keep_the_streams_apart_and_the_bytes(run: Run, some: FakeServices) -> None:
    some.logs.entries = [line(b"out\n", 0), line(b"err\n", 4, Stream.ERR), line(b"no end", 8)]
    said = run("logs", task_id(1))
    assert (said.code, said.out, said.err) == (0, "out\nno end", "err\n")
    merged = run("logs", task_id(1), "--merge")
    assert (merged.out, merged.err) == ("out\nerr\nno end", "")


def test_logs_with_times_and_prefixes(run: Run, some: FakeServices) -> None:
    some.logs.entries = [line(b"long ", 0, partial=True), line(b"line\n", 5), line(b"next", 10)]
    said = run("logs", task_id(1), "-t", "--prefix")
    head = f"[{task_id(1)} 1 stdout] 2027-01-15T08:00:00.000Z "
    assert said.out == f"{head}long line\n{head}next\n"
    several = run("logs", task_id(1), task_id(2))
    assert [row.split()[0] for row in several.out.splitlines()] == [f"[{task_id(1)}"] * 2 + [f"[{task_id(2)}"] * 2


def test_logs_of_several_tasks_at_once(run: Run, some: FakeServices) -> None:
    some.logs.entries = [line(b"hello\n", 0)]
    said = run("logs", "-f", task_id(1), task_id(2))
    assert sorted(said.out.splitlines()) == [f"[{task_id(n)} 1 stdout] hello" for n in (1, 2)]


def test_logs_on_a_terminal_are_harmless_unless_raw(run: Run, some: FakeServices, terminal: None) -> None:
    some.logs.entries = [line(b"a\x1b]0;owned\x07b\n", 0)]
    assert "\x1b" not in run("logs", task_id(1), "--no-color").out
    assert run("logs", task_id(1), "--raw").out == "a\x1b]0;owned\x07b\n"


def test_log_options_arrive(run: Run, some: FakeServices) -> None:
    words = [
        "-n",
        "5",
        "--since",
        "5m",
        "--until",
        "2030-01-01T00:00:00Z",
        "--attempt",
        "2",
        "--stream",
        "err",
        "--grep",
        "x",
    ]
    assert run("logs", task_id(1), *words, "--from", "local").code == 0
    query, sink = some.logs.queries[-1]
    assert (query.tail, query.attempt, query.stream, query.grep, query.follow) == (5, 2, Stream.ERR, "x", False)
    assert query.since is not None
    assert query.until is not None
    assert sink == "local"
    assert run("logs", task_id(1), "--stream", "both").code == 2
    assert run("logs", task_id(1), "--grep", "(").code == 2


def test_logs_as_json_and_gaps(run: Run, some: FakeServices) -> None:
    some.logs.entries = [line(b"a\n", 0), line(b"5 bytes are missing", 2, Stream.GAP)]
    rows = [json.loads(row) for row in run("logs", task_id(1), "--json").out.splitlines()]
    assert [(row["task_id"], row["stream"], row["text"]) for row in rows] == [
        (task_id(1), "stdout", "a\n"),
        (task_id(1), "gap", "5 bytes are missing"),
    ]
    assert run("logs", task_id(1)).err == "[5 bytes are missing]\n"


def test_no_log(run: Run, some: FakeServices) -> None:
    some.logs.entries.clear()
    said = run("logs", task_id(1))
    assert (said.code, "it printed nothing" in said.err) == (3, True)


def test_audit(run: Run, some: FakeServices) -> None:
    rows = [row.split("\t") for row in run("audit", task_id(1)).out.splitlines()]
    assert [row[2] for row in rows] == ["event", "task-created", "attempt-assigned", "attempt-ended", "task-ended"]
    assert "outcome=succeeded" in rows[3][5]
    assert len(run("audit", "-n", "2", "-q").out.splitlines()) == 2
    assert json.loads(run("audit", "--after", "0", "--json").out.splitlines()[0])["seq"] == 1
    assert run("audit", task_id(1), "-f").code == 2


def test_sql(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    assert run("sql", "select 1").out == 'name\tn\nadd\t2\n\t{"base64":"AA=="}\n'
    stdin("select 1")
    assert json.loads(run("sql", "-", "--json").out.splitlines()[0]) == {"name": "add", "n": 2}
    cut = run("sql", "select 1", "-n", "1")
    assert (cut.code, "only the first 1 rows" in cut.err) == (0, True)


def test_id_explain(run: Run, services: FakeServices) -> None:
    whole = "0199c2f4-1111-8001-8123-123456789abc"
    said = run("id", "explain", whole)
    assert "created  2025-10-08T08:33:19.121Z" in said.out
    assert "number 1" in said.out
    assert json.loads(run("id", "explain", whole, "--json").out)["domain_number"] == 1
    wrong = run("id", "explain", "0199c2f4-1111-4001-8123-123456789abc")
    assert (wrong.code, "version 4" in wrong.err) == (2, True)
    services.tasks.add(record(1))
    assert run("id", "explain", "0000").code == 0


class FakeContext:
    def __init__(self, url: str | None) -> None:
        self._url = url

    def find_object(self, _: object) -> Invocation:
        return Invocation(url=self._url)


def test_completion_asks_the_api(some: FakeServices, server: tuple[str, FakeServices]) -> None:
    context = FakeContext(server[0])
    assert [name for name, _ in completion.task_names(context, "ch")] == ["chatty"]  # type: ignore[arg-type]
    assert len(completion.task_ids(context, "0000")) == 3  # type: ignore[arg-type]
    assert [found[0] for found in completion.unfinished_ids(context, "")] == [task_id(3)]  # type: ignore[arg-type]
    assert completion.statuses("su") == ["succeeded"]


def test_completion_is_silent_when_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    for url in ("http://127.0.0.1:1", "nonsense://"):
        assert completion.task_names(FakeContext(url), "a") == []  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")
