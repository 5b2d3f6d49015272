"""submit, run, wait, cancel."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.sandbox.api.fake_services import FakeServices, record, task_id
from tests.unit.sandbox.cli.conftest import Run


def test_submit_takes_json_words(run: Run, services: FakeServices) -> None:
    said = run("submit", "add", "1", "2.5", "--", "-3")
    assert (said.code, said.out) == (0, task_id(1) + "\n")
    run(
        "submit",
        "later",
        "two words",
        '{"a": [1]}',
        "null",
        '"5"',
        "True",
        "-k",
        "n=1",
        "-k",
        "s=x",
        "--kwargs",
        '{"n":0}',
    )
    first, second = services.tasks.created
    assert first.args == "[1,2.5,-3]"
    assert second.args == '["two words",{"a":[1]},null,"5","True"]'
    assert second.kwargs == '{"n":1,"s":"x"}'


def test_submit_with_every_option(run: Run, services: FakeServices) -> None:
    said = run(
        "submit", "add", "--args", "[1, 2]", "--domain", "d", "--queue", "q", "--priority", "3", "--timeout", "1h30m",
        "--retries", "2", "--at", "2030-01-01T00:00:00Z", "--label", "a=b", "--label", "c=d=e", "--key", "once", "--json",
    )  # fmt: skip
    assert json.loads(said.out) == {"task_id": task_id(1)}
    [new] = services.tasks.created
    assert (new.args, new.domain, new.queue, new.priority, new.timeout_ms) == ("[1,2]", "d", "q", 3, 5_400_000)
    assert (new.labels, new.idempotency_key, new.not_before_ms) == ({"a": "b", "c": "d=e"}, "once", 1_893_456_000_000)
    assert new.retry_policy is not None
    assert (new.retry_policy.max_attempts, new.retry_policy.include_errors) == (3, ("TaskError",))


def test_integers_of_any_size_arrive_exactly(run: Run, services: FakeServices) -> None:
    run("submit", "add", str(2**70))
    assert services.tasks.created[0].args == f"[{2**70}]"


def test_submit_from_a_file(run: Run, services: FakeServices, tmp_path: Path) -> None:
    args, policy = tmp_path / "args.json", tmp_path / "policy.json"
    args.write_text("[1,\n 2]")
    policy.write_text('{"stop": {"max_attempts": 7}}')
    assert run("submit", "add", "--args", f"@{args}", "--retry-policy", f"@{policy}").code == 0
    [new] = services.tasks.created
    assert new.retry_policy is not None
    assert (new.args, new.retry_policy.max_attempts) == ("[1,2]", 7)
    missing = run("submit", "add", "--args", f"@{tmp_path}/none.json")
    assert (missing.code, "No such file" in missing.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--args", "[1, x]"], "error: --args is not JSON (line 1, column 5)"),
        (["--args", '{"a":1}'], "error: --args must be a JSON array"),
        (["--args", "5"], "because it is a number"),
        (["--kwargs", "[1]"], "error: --kwargs must be a JSON object"),
        (["--args", "[NaN]"], "NaN is no JSON value"),
        (["[1,"], "is not JSON"),
        (["-k", "novalue"], "-k takes key=value (novalue)"),
        (["--timeout", "soon"], "--timeout takes a duration (soon)"),
        (["--at", "tomorrow"], "--at takes a time (tomorrow)"),
        (["--delay", "1s", "--at", "2030-01-01"], "Give --delay or --at, not both"),
        (["--retries", "1", "--retry-policy", "{}"], "not both"),
        (["--retry-policy", '{"stop":{"max_attempts":0}}'], "stop.max_attempts must be at least 1"),
        (["--args", "[]", "1"], "as words or with --args, not both"),
        (["--label", "x"], "--label takes key=value (x)"),
    ],
)
def test_input_that_cannot_be_meant(run: Run, services: FakeServices, words: list[str], text: str) -> None:
    said = run("submit", "add", *words)
    assert (said.code, said.out) == (2, "")
    assert text in said.err
    assert services.tasks.created == []


def test_broken_json_is_shown_with_a_caret(run: Run, services: FakeServices) -> None:
    lines = run("submit", "add", "--args", '[1, {"a" 2}]').err.splitlines()
    assert lines[1] == "  because Expecting ':' delimiter:"
    assert lines[2].endswith('[1, {"a" 2}]')
    assert lines[3].index("^") == lines[2].index("2}]")
    long = run("submit", "add", "--args", "[" + "1, " * 100 + "x" + ", 1" * 100 + "]").err.splitlines()
    assert long[3].index("^") == long[2].index("x")
    assert len(long[2]) < 90


def test_unknown_tasks_are_refused_by_the_orchestrator(run: Run, services: FakeServices) -> None:
    said = run("submit", "ad")
    assert (said.code, said.err) == (2, "error: No task has that name (ad)\n  try: did you mean add?\n")


def test_many_from_a_file_in_batches(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    stdin("".join(f"[{n}, 1]\n" for n in range(2500)))
    said = run("submit", "add", "--args", "-", "-k", "x=1")
    assert said.code == 0
    assert said.out.splitlines() == [task_id(n + 1) for n in range(2500)]
    assert services.tasks.batches == [1000, 1000, 500]
    assert services.tasks.created[7].kwargs == '{"x":1}'
    assert said.err.startswith("submitted 2,500 tasks in ")


def test_lines_may_be_objects(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    line = {
        "name": "later",
        "args": [1],
        "kwargs": {"a": 1},
        "key": "k",
        "priority": 2,
        "queue": "q",
        "labels": {"x": "y"},
    }
    stdin(json.dumps(line) + '\n\n{"name": "add"}\n')
    assert run("submit", "--args", "-", "--label", "l=m").code == 0
    one, other = services.tasks.created
    assert (one.name, one.args, one.kwargs, one.idempotency_key) == ("later", "[1]", '{"a":1}', "k")
    assert (one.priority, one.queue, one.labels) == (2, "q", {"l": "m", "x": "y"})
    assert (other.name, other.labels) == ("add", {"l": "m"})


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("[1,", "error: The input is not JSON (line 1501, column 4)"),
        ("5", "error: A line must be a JSON array or object (line 1501)"),
        ('{"argz": []}', "error: There is no field 'argz' (line 1501)\n  try: args"),
        ('{"args": {}}', "error: args must be an array (line 1501)"),
        ('{"priority": "x"}', "error: priority must be a whole number (line 1501)"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_sent(
    run: Run, services: FakeServices, stdin: Callable[[str], None], line: str, text: str
) -> None:
    stdin("[1]\n" * 1500 + line + "\n[1]\n")
    said = run("submit", "add", "--args", "-")
    assert (said.code, said.out) == (2, "")
    assert text in said.err
    assert services.tasks.created == []


def test_lines_without_a_name_anywhere(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    stdin("[1]\n")
    assert "No task is named (line 1)" in run("submit", "--args", "-").err
    stdin("")
    assert "There are no tasks on standard input" in run("submit", "add", "--args", "-").err


def test_an_error_in_a_later_batch_says_what_was_accepted(
    run: Run, services: FakeServices, stdin: Callable[[str], None]
) -> None:
    services.tasks.fail_batch = 2
    stdin("[1]\n" * 1500)
    said = run("submit", "add", "--args", "-")
    assert (said.code, len(said.out.splitlines())) == (2, 1000)
    assert "1,000 tasks before it were accepted" in said.err


def test_an_endless_input_is_sent_as_it_comes(
    run: Run, services: FakeServices, pipe: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.cli.commands.submit.LineSource.first", _first_without_pause)
    os.write(pipe, b"[1]\n[2]\n[3")
    sent = threading.Event()
    create_many = services.tasks.create_many

    async def told(*args: object, **kwargs: object) -> list[str]:
        try:
            return await create_many(*args, **kwargs)  # type: ignore[arg-type]
        finally:
            sent.set()

    services.tasks.create_many = told  # type: ignore[method-assign]

    def go_on() -> None:
        sent.wait(10)
        os.write(pipe, b"]\n[4]\n[5\n")
        os.close(pipe)

    writer = threading.Thread(target=go_on)
    writer.start()
    said = run("submit", "add", "--args", "-")
    writer.join()
    assert services.tasks.batches == [2]
    assert said.out.splitlines() == [task_id(1), task_id(2)]
    assert "The input is not JSON (line 5" in said.err
    assert "2 tasks before it were accepted" in said.err


def _first_without_pause(source: object) -> list[tuple[int, str]]:
    return source._read()  # type: ignore[attr-defined]


def test_submit_and_wait(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    said = run("submit", "add", "1", "2", "--wait")
    assert (said.code, said.out) == (0, f"{task_id(1)}\n3\n")
    stdin('[]\n{"name": "fail"}\n')
    many = run("submit", "add", "--args", "-", "--wait", "-q")
    assert many.code == 1


def test_run_prints_the_result_and_how_it_ended(run: Run, services: FakeServices) -> None:
    said = run("run", "add", "1", "2")
    assert (said.code, said.out) == (0, "3\n")
    assert said.err == f"task {task_id(1)}\nsucceeded in 1.5 s\n"


def test_run_follow_keeps_the_streams_apart(run: Run, services: FakeServices) -> None:
    services.logs.entries = services.logs.entries[:2] + services.logs.entries[3:]
    said = run("run", "-f", "chatty")
    assert (said.code, said.out) == (0, "hello\nagain\n")
    assert said.err.splitlines()[1:] == ["oh no", "── attempt 2 ──", "succeeded in 1.5 s"]


def test_run_follow_of_a_silent_task(run: Run, services: FakeServices) -> None:
    services.logs.entries.clear()
    said = run("run", "-f", "silent")
    assert (said.code, said.out) == (0, "")


@pytest.mark.parametrize(
    ("words", "code"), [(["fail"], 1), (["exit", "3"], 3), (["exit", "123"], 123), (["-f", "exit", "42"], 42)]
)
def test_run_exits_as_the_task_did(run: Run, services: FakeServices, words: list[str], code: int) -> None:
    said = run("run", *words)
    assert said.code == code
    assert said.err.splitlines()[-1] == f"  try: azolla-local show {task_id(1)}"


def test_run_of_a_file(run: Run, services: FakeServices, tmp_path: Path) -> None:
    known = [
        record_definition("one", tmp_path / "one.task"),
        *(record_definition(n, tmp_path / "two.py") for n in "ab"),
    ]
    services.tasks.definitions = lambda: (known, [f"{tmp_path}/broken.task:3: no such key"])  # type: ignore[method-assign]
    for name in ("one.task", "two.py", "broken.task", "other.task"):
        (tmp_path / name).touch()
    assert "No task has that name (one)" in run("run", str(tmp_path / "one.task")).err
    assert "defines several tasks" in run("run", str(tmp_path / "two.py")).err
    broken = run("run", str(tmp_path / "broken.task")).err
    assert "no such key" in broken
    assert "azolla-local validate" in broken
    assert "lies in no task folder" in run("run", str(tmp_path / "other.task")).err
    assert "There is no such file" in run("run", str(tmp_path / "none.task")).err


def record_definition(name: str, source: Path) -> object:
    from tests.unit.sandbox.api.fake_services import SimpleDefinition

    return SimpleDefinition(name=name, source=str(source), kind="executable")


def test_ctrl_c_leaves_the_task_running_and_says_so(
    run: Run, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.cli.commands.run.wait_for_one", interrupted)
    said = run("run", "later")
    assert said.code == 130
    assert f"azolla-local logs -f {task_id(1)}" in said.err
    assert services.tasks.cancelled == []


def test_wait_for_one_exits_as_it_did(run: Run, services: FakeServices) -> None:
    run("submit", "exit", "9")
    assert run("wait", task_id(1)).code == 9
    run("submit", "add", "4")
    said = run("wait", task_id(2)[:36], "--json")
    assert (said.code, json.loads(said.out)["result"]) == (0, 4)


def test_wait_for_many(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    for name in ("add", "fail", "add"):
        run("submit", name)
    said = run("wait", task_id(1), task_id(2), task_id(1))
    assert said.code == 1
    assert said.out == f"{task_id(1)}\tsucceeded\n{task_id(2)}\tfailed\n"
    assert said.err.endswith("1 succeeded, 1 failed\n")
    stdin(f"{task_id(1)}\n{task_id(3)}\n")
    as_json = run("wait", "-", "--json")
    assert as_json.code == 0
    assert [json.loads(line)["status"] for line in as_json.out.splitlines()] == ["succeeded"] * 2


def test_wait_that_is_too_short_or_for_nothing(run: Run, services: FakeServices, stdin: Callable[[str], None]) -> None:
    services.tasks.add(record(1))
    services.tasks.add(record(2))
    said = run("wait", task_id(1), "--timeout", "0s")
    assert (said.code, "had not ended in time" in said.err) == (125, True)
    many = run("wait", task_id(1), task_id(2), "--timeout", "10ms")
    assert (many.code, "2 of 2 tasks had not ended" in many.err) == (125, True)
    assert run("wait", "ffff").code == 125
    stdin("")
    assert run("wait", "-").code == 125


def test_cancel(run: Run, services: FakeServices) -> None:
    services.tasks.add(record(1))
    run("submit", "add")
    said = run("cancel", task_id(1), "ffff", task_id(2), "--reason", "enough")
    assert said.code == 3
    assert said.out == f"{task_id(1)}\tcancelled\n{task_id(2)}\thas ended before: succeeded\n"
    assert "No such task (ffff)" in said.err
    assert services.tasks.cancelled[0] == (task_id(1), "enough")
    as_json = run("cancel", task_id(1), "--json")
    assert json.loads(as_json.out) == {"task_id": task_id(1), "status": "cancelled"}


def test_progress_is_drawn_on_a_terminal_only(
    run: Run, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.cli.output._is_terminal", lambda _: True)
    run("submit", "add", "1")
    run("submit", "fail")
    drawn = run("wait", task_id(1), task_id(2))
    assert "waiting" in drawn.err
    assert run("wait", task_id(1), task_id(2), "-q").err == ""
    assert "waiting" in run("wait", task_id(1)).err
