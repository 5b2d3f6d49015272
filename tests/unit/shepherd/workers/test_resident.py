"""Whole resident workers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

SOURCE = """
import asyncio, ctypes, os, subprocess, sys, threading, time
from sandbox import task, Context, Retry

@task
def noop(): pass

@task
def add(a, b=1): return a + b

@task
def say(word):
    print(word)
    sys.stderr.write(word + "!")
    sys.stdout.buffer.write(word.encode())

@task
def raw(word):
    print("first")
    os.write(1, word.encode())
    subprocess.run(["sh", "-c", f"echo {word} >&2"], check=True)
    print("last")

@task
def from_thread(word):
    thread = threading.Thread(target=print, args=(word,))
    thread.start()
    thread.join()

@task
def fail(): raise ValueError("no")

@task
def leave(status): sys.exit(status)

@task
def again(): raise Retry("busy", after=2)

@task
def wait_for(path):
    print("waiting")
    with open(path) as fifo: return fifo.read()

@task
def beat(ctx: Context):
    for step in range(3): ctx.heartbeat(f"step {step}")
    return str(ctx.work_folder)

@task
def forks():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return "parent"
    print("from the fork")
    return "child"

@task
def dies(): os._exit(9)

@task
def until_cancelled(ctx):
    print("on")
    while not ctx.cancelled: time.sleep(0.001)
    return "seen"

@task
async def anoop(): pass

meeting = {}

@task
async def meet(name, others):
    print(name, "came")
    meeting[name] = asyncio.Event()
    while len(meeting) < others: await asyncio.sleep(0)
    print(name, "left")
    return name

@task
async def sleepy():
    print("asleep")
    try:
        await asyncio.sleep(60)
    finally:
        print("woken")

@task
async def stubborn():
    print("on")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "went on"

@task
async def abeat(ctx):
    ctx.heartbeat("one")
    ctx.heartbeat("two")
    await asyncio.sleep(0.05)

@task
def blocking(): return threading.current_thread() is threading.main_thread()
"""

Start = Callable[..., Any]


def test_attempts_one_after_another(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.send(*(worker.attempt(f"k{n}", "add", n) for n in range(100)))
    ends = [worker.ended() for _ in range(100)]
    assert [(end["t"], end["key"], end["result_json"]) for end in ends] == [
        ("ended", f"k{n}", str(n + 1)) for n in range(100)
    ]
    assert all(end["logged"] is False and end["started_ms"] <= end["ended_ms"] for end in ends)
    assert worker.retire() == 0


def test_retiring_finishes_what_waits(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.send(worker.attempt("a", "add", 1), {"t": "retire"}, worker.attempt("b", "add", 2))
    assert [worker.ended()["key"], worker.ended()["key"]] == ["a", "b"]
    assert worker.process.wait(20) == 0


def test_the_end_of_the_shepherd_is_the_end_of_the_worker(resident: Start, tmp_path: Any) -> None:
    for function, args in (("noop", ()), ("wait_for", (str(tmp_path / "fifo"),)), ("sleepy", ())):
        os.mkfifo(tmp_path / "fifo") if function == "wait_for" else None
        worker = resident(SOURCE)
        worker.give("a", function, *args, is_async=function == "sleepy")
        if function == "noop":
            worker.ended()
        else:
            worker.output(lambda found: "a" in found)
        worker.socket.close()
        assert worker.process.wait(20) == 0, function


def test_what_is_printed_goes_to_its_own_attempt(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.send(worker.attempt("a", "say", "one"), worker.attempt("b", "noop"), worker.attempt("c", "say", "two"))
    ends = [worker.ended() for _ in range(3)]
    assert [end["logged"] for end in ends] == [True, False, True]
    assert worker.printed("a") == "one\none!one"
    assert worker.printed("c") == "two\ntwo!two"


def test_what_c_code_and_subprocesses_print_is_there_in_order(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.run("raw", "word")
    assert worker.printed("only") == "first\nwordword\nlast\n"


def test_what_threads_print(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.run("from_thread", "word")
    assert worker.printed("only") == "word\n"


def test_more_than_a_frame_and_more_than_a_pipe(resident: Start) -> None:
    worker = resident(SOURCE + "\n@task\ndef much():\n    print('x' * 300_000)\n    os.write(2, b'y' * 300_000)\n")
    worker.run("much")
    printed = worker.printed("only")
    assert (printed.count("x"), printed.count("y"), len(printed)) == (300_000, 300_000, 600_001)


def test_failures(resident: Start) -> None:
    worker = resident(SOURCE)
    end = worker.run("fail")
    assert (end["outcome"], end["error"]["type"], end["logged"]) == ("failed", "ValueError", True)
    assert worker.printed("only").startswith("Traceback")
    assert worker.run("leave", 3)["exit_code"] == 3
    assert worker.run("add")["error"]["type"] == "BadArguments"
    assert worker.run("nothing")["error"]["type"] == "ImportError"
    assert (worker.run("again")["retry"], worker.run("again")["retry_after_s"]) == (True, 2)
    assert worker.run("add", 1)["result_json"] == "2"


def test_a_module_that_cant_be_imported(resident: Start) -> None:
    worker = resident("def f(:\n")
    end = worker.run("f")
    assert end["error"]["type"] == "SyntaxError"
    assert "work.py:1: " in end["error"]["message"]
    assert "SyntaxError" in worker.printed("only")


def test_a_long_attempt_is_told_and_replies_dont_wait_for_it(resident: Start, tmp_path: Any) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    worker = resident(SOURCE)
    worker.run("noop")
    worker.send(worker.attempt("a", "noop"), worker.attempt("b", "wait_for", str(fifo)), worker.attempt("c", "noop"))
    worker.until("ended", "a")
    worker.until("started", "b")
    worker.give("d", "noop")
    worker.send({"t": "cancel", "key": "c"})
    cancelled = worker.ended()
    assert (cancelled["key"], cancelled["error"]["type"]) == ("c", "Cancelled")
    fifo.write_text("done")
    assert [(end["key"], end["outcome"]) for end in (worker.ended(), worker.ended())] == [
        ("b", "succeeded"),
        ("d", "succeeded"),
    ]


def test_a_sync_task_can_look_whether_it_is_cancelled(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.give("a", "until_cancelled")
    worker.output(lambda found: "on" in found.get("a", ""))
    worker.send({"t": "cancel", "key": "a"})
    assert worker.ended()["result_json"] == '"seen"'


def test_heartbeats_come_with_their_last_note(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.give("a", "beat")
    notes = []
    while (message := worker.next())["t"] != "ended":
        notes += [message["note"]] if message["t"] == "heartbeat" else []
    assert notes[0] == "step 0"
    assert notes[-1] == "step 2"
    assert not os.path.exists(json.loads(message["result_json"])), "its work folder is removed"


def test_a_fork_prints_and_doesnt_answer(resident: Start) -> None:
    worker = resident(SOURCE)
    assert worker.run("forks")["result_json"] == '"parent"'
    assert worker.printed("only") == "from the fork\n"
    assert worker.run("add", 1)["result_json"] == "2"


def test_many_async_attempts_at_once(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.send(*(worker.attempt(f"k{n}", "meet", f"n{n}", 20, is_async=True) for n in range(20)))
    assert {worker.ended()["key"] for _ in range(20)} == {f"k{n}" for n in range(20)}
    for n in range(20):
        assert worker.printed(f"k{n}") == f"n{n} came\nn{n} left\n"


def test_no_more_at_once_than_allowed(resident: Start) -> None:
    source = (
        SOURCE
        + "\nnow = []\n@task\nasync def count():\n    now.append(1)\n    most = len(now)\n    await asyncio.sleep(0.001)\n    now.pop()\n    return most\n"
    )
    worker = resident(source, parallel=3)
    worker.send(*(worker.attempt(f"k{n}", "count", is_async=True) for n in range(12)))
    assert max(int(worker.ended()["result_json"]) for _ in range(12)) == 3


def test_async_attempts_can_be_cancelled(resident: Start) -> None:
    worker = resident(SOURCE, parallel=2)
    worker.send(
        *(
            worker.attempt(key, name, is_async=True)
            for key, name in (("a", "sleepy"), ("b", "stubborn"), ("c", "anoop"))
        )
    )
    worker.output(lambda found: "asleep" in found.get("a", "") and "on" in found.get("b", ""))
    worker.send({"t": "cancel", "key": "c"}, {"t": "cancel", "key": "nobody"})
    assert worker.ended()["error"]["message"] == "the attempt was cancelled before it was started"
    worker.send({"t": "cancel", "key": "a"})
    end = worker.ended()
    assert (end["key"], end["error"]["type"]) == ("a", "Cancelled")
    assert worker.printed("a") == "asleep\nwoken\n"
    worker.send({"t": "cancel", "key": "b"}, {"t": "retire"})
    assert worker.ended()["result_json"] == '"went on"'
    assert worker.process.wait(20) == 0


def test_long_async_attempts_are_told(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.run("anoop", is_async=True)
    worker.send(worker.attempt("a", "anoop", is_async=True), worker.attempt("b", "sleepy", is_async=True))
    worker.until("ended", "a")
    assert worker.until("started", "b") == {"t": "started", "key": "b"}


def test_async_heartbeats(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.give("a", "abeat", is_async=True)
    notes = []
    while (message := worker.next())["t"] != "ended":
        notes.append(message.get("note"))
    assert (notes[0], [note for note in notes if note][-1]) == ("one", "two")


def test_kinds_can_meet_in_one_worker(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.send(worker.attempt("a", "anoop", is_async=True), worker.attempt("b", "blocking"))
    ends = {end["key"]: end for end in (worker.ended(), worker.ended())}
    assert ends["b"]["result_json"] == "false"
    other = resident(SOURCE)
    assert other.run("blocking")["result_json"] == "true"
    assert other.run("meet", "x", 1, is_async=True)["result_json"] == '"x"'


def test_a_task_that_ends_the_process(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.give("a", "dies")
    assert worker.process.wait(20) == 9


def test_nonsense_from_the_shepherd(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.socket.sendall(b"\x02\0\0\0[]")
    assert worker.process.wait(20) == 2
    assert "doesn't speak as it should" in worker.stray.read_text()


def test_sigterm_ends_it(resident: Start) -> None:
    worker = resident(SOURCE)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == -signal.SIGTERM


def test_print_while_nothing_runs_goes_to_the_shepherds_own_log(resident: Start) -> None:
    source = "import threading\ngo = threading.Event()\ndef late():\n    go.wait()\n    print('stray')\n"
    source += "def f(): threading.Thread(target=late, daemon=True).start()\ndef g(): go.set()\ndef h(): pass\n"
    worker = resident(source)
    assert worker.run("f")["logged"] is False
    worker.run("g")
    assert worker.retire() == 0
    assert worker.stray.read_text() in ("", "stray\n"), "either it was not printed before the end, or it is here"
