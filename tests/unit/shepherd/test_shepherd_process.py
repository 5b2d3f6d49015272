"""The whole shepherd as a process: registered, given attempts, cancelled, killed, drained."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from shepherd.wire.messages import TaskResult
from tests.support.fake_orchestrator import FakeOrchestrator
from tests.support.shepherds import ShepherdProcess, connected, task

pytestmark = pytest.mark.slow

TASKS = """
import os, sys, time
from shepherd.definitions import Context, task

@task(isolation="resident")
def add(a, b):
    return a + b

@task(isolation="resident")
def speak(text):
    print(text)

@task(isolation="resident")
def beat(ctx: Context):
    ctx.heartbeat("step 1 of 2")
    time.sleep(0.1)

@task(isolation="process")
def fresh_add(a, b):
    print("adding")
    return a + b

@task(isolation="process")
def wait_for(sign, go):
    print("before", flush=True)
    open(sign, "w").close()
    while not os.path.exists(go):
        time.sleep(0.005)
    print("after")
    return "done"

@task(isolation="resident")
def hang(sign):
    open(sign, "w").close()
    time.sleep(60)

@task(isolation="jail")
def jailed():
    return None
"""


@pytest.fixture
async def fake() -> AsyncIterator[FakeOrchestrator]:
    async with FakeOrchestrator() as fake:
        yield fake


@pytest.fixture
async def shepherd(fake: FakeOrchestrator, tmp_path: Path) -> AsyncIterator[ShepherdProcess]:
    made = ShepherdProcess(tmp_path, fake.address)
    (made.tasks / "some_tasks.py").write_text(TASKS)
    (made.tasks / "script.sh").write_text(
        "#!/bin/sh\necho out; echo err >&2; cat $AZOLLA_ARGS > $AZOLLA_RESULT; exit 0\n"
    )
    (made.tasks / "script.sh").chmod(0o755)
    (made.tasks / "script.task").write_text("[Task]\nName=script\n\n[Command]\nCommand=./script.sh\n")
    await made.start()
    await connected(fake)
    try:
        yield made
    finally:
        await made.close()


async def until_there(file: Path) -> None:
    while not file.exists():
        await asyncio.sleep(0.005)


def value(result: TaskResult) -> object:
    assert result.WhichOneof("result_type") == "success", result
    return json.loads(result.success.result.json_value)


async def test_the_hello_says_who_it_is_and_what_it_runs(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    hello = fake.hellos[0]
    identity = json.loads((shepherd.state / "identity.json").read_text())
    assert (hello.shepherd_uuid, hello.epoch) == (identity["shepherd_id"], 1)
    assert shepherd.process is not None
    assert (hello.protocol_version, hello.pid, hello.all_domains) == (1, shepherd.process.pid, True)
    assert {offer.name for offer in hello.offers} >= {"add", "fresh_add", "script"}
    assert hello.window >= hello.max_concurrency
    assert not hello.standing


async def test_attempts_run_at_both_tiers_and_are_reported(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    await fake.assign(
        task("r", "add", 1, 2), task("f", "fresh_add", 3, 4), task("s", "script", "x", 5), task("p", "speak", "hello")
    )
    resident, fresh = await fake.result("r"), await fake.result("f")
    assert (value(resident), resident.report.isolation, resident.report.log_bytes) == (3, "resident", 0)
    assert (value(fresh), fresh.report.isolation) == (7, "process")
    assert (fresh.report.log_bytes, fresh.report.log_lines) == (7, 1)
    assert fresh.report.peak_memory_bytes > 1_000_000
    assert fresh.report.cpu_us > 0
    script = await fake.result("s")
    assert value(script) == ["x", 5]
    assert (script.report.exit_code, script.report.log_lines) == (0, 2)
    spoken = await fake.result("p")
    assert (spoken.report.log_bytes, spoken.report.log_lines) == (6, 1)
    await fake.until(lambda: {log.task_id for log in fake.logs} == {"f", "s", "p"})
    locator = next(log.locator for log in fake.logs if log.task_id == "p")
    await fake.until(lambda: Path(locator).read_bytes() == b"hello\n")


async def test_what_cant_be_run_is_refused_once_and_for_all(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    bad = task("b", "add", 1, 2)
    bad.args = '{"a": 1}'
    await fake.assign(task("u", "ad"), bad, task("j", "jailed"))
    unknown, bad_args, jailed = await fake.result("u"), await fake.result("b"), await fake.result("j")
    assert (unknown.error.type, unknown.error.retriable) == ("UnknownTask", False)
    assert "add" in unknown.error.message
    assert (bad_args.error.type, bad_args.error.retriable) == ("BadArguments", False)
    assert (jailed.error.type, jailed.error.retriable) == ("IsolationUnavailable", False)
    assert "process" in jailed.error.message


async def test_a_cancel_ends_the_attempt(fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path) -> None:
    await fake.assign(
        task("p", "wait_for", str(tmp_path / "p"), "never"),
        task("r", "hang", str(tmp_path / "r")),
        task("n", "add", 1, 1),
    )
    await until_there(tmp_path / "p")
    await until_there(tmp_path / "r")
    await fake.cancel("p")
    await fake.cancel("r")
    for name in "pr":
        result = await fake.result(name)
        assert (result.report.outcome, result.error.type, result.report.left_behind) == (4, "Cancelled", "")
    assert value(await fake.result("n")) == 2


async def test_the_time_limit_of_the_assignment_counts(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    await fake.assign(
        task("p", "wait_for", "/dev/null", "never", timeout_ms=300), task("r", "hang", "/dev/null", timeout_ms=300)
    )
    for name in "pr":
        result = await fake.result(name)
        assert (result.report.outcome, result.error.type) == (3, "Timeout")


async def test_heartbeats_and_starts_are_told(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    await fake.assign(task("b", "beat"))
    await fake.result("b")
    assert [(each.task_id, each.attempt) for each in fake.started] == [("b", 1)]
    assert [each.note for each in fake.heartbeats] == ["step 1 of 2"]
    await fake.until(lambda: fake.statuses)


async def test_a_new_task_file_is_found_and_offered(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    (shepherd.tasks / "later.py").write_text(
        "from shepherd.definitions import task\n\n@task(isolation='resident')\ndef later():\n    return 'yes'\n"
    )
    await fake.assign(task("l", "later"))
    assert value(await fake.result("l")) == "yes"
    await fake.until(lambda: "later" in {offer.name for offer in fake.offers})


async def test_a_broken_connection_loses_no_result(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    fake.acknowledges = False
    await fake.assign(task("a", "add", 1, 2), task("w", "wait_for", str(tmp_path / "sign"), str(tmp_path / "go")))
    await fake.result("a")
    await until_there(tmp_path / "sign")
    fake.results.clear()
    await fake.stop_listening()
    (tmp_path / "go").touch()
    fake.acknowledges = True
    await fake.listen()
    await connected(fake, 2)
    standing = {(key.task_id, key.attempt) for key in fake.hellos[1].standing}
    assert standing == {("a", 1), ("w", 1)}
    assert value(await fake.result("a")) == 3
    assert value(await fake.result("w")) == "done"


async def test_kill_nine_loses_no_attempt_and_no_line(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "sign"), str(tmp_path / "go")))
    await until_there(tmp_path / "sign")
    await shepherd.kill()
    await shepherd.start()
    await connected(fake, 2)
    assert fake.hellos[1].epoch == 2
    assert [(key.task_id, key.attempt) for key in fake.hellos[1].standing] == [("w", 1)]
    (tmp_path / "go").touch()
    result = await fake.result("w")
    assert value(result) == "done"
    assert (result.report.log_bytes, result.report.log_lines) == (len("before\nafter\n"), 2)
    await fake.until(lambda: fake.logs)
    assert Path(fake.logs[-1].locator).read_bytes() == b"before\nafter\n"


async def test_an_attempt_that_ended_while_there_was_no_shepherd_is_told_by_the_next(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "sign"), str(tmp_path / "go")))
    await until_there(tmp_path / "sign")
    await shepherd.kill()
    (tmp_path / "go").touch()
    await until_there(shepherd.state / "work" / "w.1" / "control" / "outcome.json")
    await shepherd.start()
    assert value(await fake.result("w")) == "done"
    await fake.until(lambda: fake.logs)
    assert await shepherd.stop() == 0
    assert Path(fake.logs[-1].locator).read_bytes() == b"before\nafter\n"


async def test_a_result_that_was_not_acknowledged_survives_kill_nine(
    fake: FakeOrchestrator, shepherd: ShepherdProcess
) -> None:
    fake.acknowledges = False
    await fake.assign(task("f", "fresh_add", 3, 4))
    await fake.result("f")
    await shepherd.kill()
    fake.results.clear()
    fake.acknowledges = True
    await shepherd.start()
    assert value(await fake.result("f")) == 7
    assert await shepherd.stop() == 0
    assert list((shepherd.state / "work").iterdir()) == []
    assert list((shepherd.state / "journal").iterdir()) == []


async def test_an_attempt_whose_process_died_meanwhile_is_lost(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "sign"), "never"))
    await until_there(tmp_path / "sign")
    await shepherd.kill()
    mine = str(shepherd.state / "work")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and mine.encode() in (entry / "cmdline").read_bytes():
            os.kill(int(entry.name), 9)
    await shepherd.start()
    result = await fake.result("w")
    assert result.report.outcome == 5


async def test_a_standing_attempt_that_is_not_wanted_is_ended_in_silence(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "sign"), "never"))
    await until_there(tmp_path / "sign")
    fake.refused = [("w", 1)]
    await fake.break_connection()
    await connected(fake, 2)
    await fake.assign(task("n", "add", 1, 1))
    await fake.result("n")
    assert await shepherd.stop() == 0
    assert [each.task_id for each in fake.results] == ["n"]


async def test_sigterm_lets_what_runs_finish(fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "sign"), str(tmp_path / "go")))
    await until_there(tmp_path / "sign")
    stopping = asyncio.ensure_future(shepherd.stop())
    await fake.until(lambda: fake.statuses and fake.statuses[-1].available_capacity == 0)
    await fake.assign(task("late", "add", 1, 1))
    assert (await fake.result("late")).report.outcome == 6
    (tmp_path / "go").touch()
    assert value(await fake.result("w")) == "done"
    assert await stopping == 0


async def test_what_outlives_the_grace_is_lost(
    fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path
) -> None:
    await fake.assign(task("w", "wait_for", str(tmp_path / "p"), "never"), task("r", "hang", str(tmp_path / "r")))
    await until_there(tmp_path / "p")
    await until_there(tmp_path / "r")
    stopping = asyncio.ensure_future(shepherd.stop())
    await fake.until(lambda: fake.statuses and fake.statuses[-1].available_capacity == 0)
    assert shepherd.process is not None
    shepherd.process.terminate()  # a second signal ends the grace
    for name in "wr":
        assert (await fake.result(name)).report.outcome == 5
    assert await stopping == 0


async def test_plain_azolla_is_spoken_where_no_welcome_comes(tmp_path: Path) -> None:
    async with FakeOrchestrator() as fake:
        fake.welcomes = False
        made = ShepherdProcess(tmp_path, fake.address)
        (made.tasks / "some_tasks.py").write_text(TASKS)
        await made.start()
        await fake.until(lambda: fake.statuses)
        given = task("a", "add", 1, 2, attempt=0)
        from shepherd.wire.messages import ServerMsg

        await fake.send(ServerMsg(task=given))
        await fake.until(lambda: fake.results)
        assert value(fake.results[0]) == 3
        assert fake.batches == []
        await made.close()


async def test_two_on_one_state_folder_are_one_too_many(fake: FakeOrchestrator, shepherd: ShepherdProcess) -> None:
    first = shepherd.process
    second = await shepherd.start()
    assert await second.wait() == 5
    assert "another shepherd uses this state folder" in shepherd.log
    assert "Traceback" not in shepherd.log
    shepherd.process = first


async def test_two_on_two_state_folders_work(fake: FakeOrchestrator, shepherd: ShepherdProcess, tmp_path: Path) -> None:
    other = ShepherdProcess(tmp_path / "other", fake.address)
    await other.start()
    await connected(fake, 2)
    assert len({hello.shepherd_uuid for hello in fake.hellos}) == 2
    await other.close()


async def test_who_is_fenced_off_ends(tmp_path: Path) -> None:
    async with FakeOrchestrator() as fake:
        fake.refuses_with = (grpc.StatusCode.FAILED_PRECONDITION, "epoch 9 is known")
        made = ShepherdProcess(tmp_path, fake.address)
        assert await (await made.start()).wait() == 6
        assert "epoch 9 is known" in made.log
        assert "Traceback" not in made.log
        await made.close()


@pytest.mark.parametrize(
    ("settings", "status", "text"),
    [
        ({"max_concurrency": 0, "colour": "blue"}, 2, "colour"),
        ({"state": "/proc/no/such"}, 7, "can't be used"),
        ({"isolation": "jail"}, 6, "jail"),
        ({"sinks": [{"name": "x", "url": "nowhere://x"}]}, 2, "nowhere"),
    ],
)
async def test_what_is_wrong_at_the_start_is_said_once(
    settings: dict[str, object], status: int, text: str, tmp_path: Path
) -> None:
    made = ShepherdProcess(tmp_path, "127.0.0.1:1", **settings)
    assert await (await made.start()).wait() == status
    assert text in made.log
    assert "Traceback" not in made.log
    await made.close()


async def test_an_orchestrator_that_is_away_is_waited_for(tmp_path: Path) -> None:
    fake = FakeOrchestrator()
    await fake.listen()
    await fake.stop_listening()
    made = ShepherdProcess(tmp_path, fake.address)
    await made.start()
    while "can't be reached" not in made.log:
        await asyncio.sleep(0.01)
    await fake.listen()
    await connected(fake)
    assert made.log.count("can't be reached") == 1
    await made.close()
    await fake.stop_listening()
