"""Real workers, started as the shepherd starts them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shepherd.workers.channel import BEGIN, END, HEADER, STDERR, STDOUT
from shepherd.workers.commands import attempt_command, resident_command
from shepherd.workers.pipe import Decoder, encode_all

PATIENCE_S = 20


@dataclass
class Ended:
    """One attempt of the tier `process`."""

    outcome: dict[str, Any] | None
    out: str
    err: str
    status: int

    @property
    def error(self) -> dict[str, Any]:
        assert self.outcome is not None
        assert self.outcome["outcome"] == "failed", self.outcome
        return self.outcome["error"]

    @property
    def result(self) -> Any:
        assert self.outcome is not None
        assert self.outcome["outcome"] == "succeeded", (self.outcome, self.err)
        return json.loads(self.outcome["result_json"])


class Desk:
    """Hands out attempts of the tier `process`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = folder / "control"
        self.work = folder / "work"
        self.control.mkdir()
        self.work.mkdir()

    def assignment(self, **changes: Any) -> dict[str, Any]:
        return {
            "task_id": "t-1",
            "attempt": 2,
            "name": "some-task",
            "domain": "default",
            "queue": "default",
            "kind": "python",
            "command": "",
            "args_list": [],
            "module_path": str(self.folder / "work.py"),
            "function": "f",
            "is_async": False,
            "args": "[]",
            "kwargs": "{}",
            "environment": {},
            "working_directory": str(self.work),
            "control_folder": str(self.control),
            "deadline_ms": None,
            "labels": {},
            "created_ms": 0,
            "max_time_s": None,
            "checks": [],
            **changes,
        }

    def start(self, **changes: Any) -> subprocess.Popen[str]:
        path = self.control / "assignment.json"
        path.write_text(json.dumps(self.assignment(**changes)))
        return subprocess.Popen(
            [*attempt_command(), str(path)],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Ended:
        with process:
            out, err = process.communicate(timeout=PATIENCE_S)
        file = self.control / "outcome.json"
        outcome = json.loads(file.read_text()) if file.exists() else None
        return Ended(outcome, out, err, process.returncode)

    def run(self, source: str | None = None, **changes: Any) -> Ended:
        if source is not None:
            (self.folder / "work.py").write_text(source)
        return self.finish(self.start(**changes))

    def command(self, command: str, *args: str, **changes: Any) -> Ended:
        return self.run(kind="executable", command=command, args_list=list(args), **changes)

    def shell(self, line: str, **changes: Any) -> Ended:
        return self.command("sh", "-c", line, **changes)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class Resident:
    """One resident worker, with the shepherd's ends of its socket and of its log channel."""

    def __init__(self, folder: Path, source: str, *, parallel: int = 64) -> None:
        self.module = folder / "work.py"
        self.module.write_text(source)
        ours, theirs = socket.socketpair()
        self._channel, writing = os.pipe()
        self.socket = ours
        self.socket.settimeout(PATIENCE_S)
        self.stray = folder / "stray"
        with self.stray.open("wb") as stray:
            self.process = subprocess.Popen(
                [
                    *resident_command(),
                    f"--control={theirs.fileno()}",
                    f"--channel={writing}",
                    f"--parallel={parallel}",
                ],
                pass_fds=(theirs.fileno(), writing),
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=stray,
                stderr=stray,
                start_new_session=True,
            )
        theirs.close()
        os.close(writing)
        self._decoder = Decoder()
        self._messages: list[dict[str, Any]] = []
        self._frames = bytearray()
        self._reader = threading.Thread(target=self._read_channel)
        self._reader.start()
        self._grown = threading.Condition()
        assert self.next()["t"] == "ready"

    def _read_channel(self) -> None:
        while data := os.read(self._channel, 65536):
            with self._grown:
                self._frames += data
                self._grown.notify_all()

    def send(self, *messages: dict[str, Any]) -> None:
        self.socket.sendall(encode_all(messages))

    def attempt(self, key: str, function: str, *args: Any, **changes: Any) -> dict[str, Any]:
        return {
            "t": "attempt",
            "key": key,
            "task_id": key,
            "attempt": 1,
            "name": function,
            "domain": "default",
            "queue": "default",
            "function": function,
            "module_path": str(self.module),
            "is_async": False,
            "args": json.dumps(args),
            "kwargs": "{}",
            "deadline_ms": None,
            "labels": {},
            "identity": json.dumps({"task_id": key}),
            **changes,
        }

    def give(self, key: str, function: str, *args: Any, **changes: Any) -> None:
        self.send(self.attempt(key, function, *args, **changes))

    def next(self) -> dict[str, Any]:
        """The next message."""
        while not self._messages:
            data = self.socket.recv(65536)
            assert data, "the worker has closed its connection"
            self._messages = self._decoder.feed(data)
        return self._messages.pop(0)

    def ended(self) -> dict[str, Any]:
        """The next end; what comes before it is passed over."""
        while True:
            message = self.next()
            if message["t"] == "ended":
                return message

    def until(self, kind: str, key: str) -> dict[str, Any]:
        """The next message of a kind about an attempt; what comes before it is passed over."""
        while True:
            message = self.next()
            if (message["t"], message["key"]) == (kind, key):
                return message

    def run(self, function: str, *args: Any, **changes: Any) -> dict[str, Any]:
        self.give("only", function, *args, **changes)
        return self.ended()

    def output(self, done: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """What each attempt has printed, both streams together, as soon as it satisfies `done`."""
        with self._grown:
            assert self._grown.wait_for(lambda: done(self._printed()), PATIENCE_S), self._printed()
            return self._printed()

    def printed(self, key: str) -> str:
        """All that an attempt has printed, which has ended."""
        return self.output(lambda found: found.get(key, "").endswith("<end>"))[key].removesuffix("<end>")

    def _printed(self) -> dict[str, str]:
        by_tag: dict[int, str] = {}
        printed: dict[str, str] = {}
        frames, at = bytes(self._frames), 0
        while len(frames) - at >= HEADER.size:
            tag, kind, length = HEADER.unpack_from(frames, at)
            payload = frames[at + HEADER.size : at + HEADER.size + length]
            if len(payload) < length:
                break
            at += HEADER.size + length
            if kind == BEGIN:
                by_tag[tag] = json.loads(payload)["task_id"]
                printed[by_tag[tag]] = ""
                continue
            assert kind in (STDOUT, STDERR, END)
            printed[by_tag[tag]] += "<end>" if kind == END else payload.decode()
        return printed

    def retire(self) -> int:
        self.send({"t": "retire"})
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._channel)


@pytest.fixture
def resident(tmp_path: Path) -> Iterator[Callable[..., Resident]]:
    started: list[Resident] = []

    def start(source: str, **options: Any) -> Resident:
        started.append(Resident(tmp_path, source, **options))
        return started[-1]

    yield start
    for worker in started:
        worker.close()
