"""What tests of isolation tiers need: orders, places, a listener that can be waited for, a capture without a catcher."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from logsinks.identity import AttemptIdentity
from shepherd.definitions import DefinitionKind, ServiceSettings, TaskDefinition
from shepherd.tiers.contract import Order, Place
from shepherd.wire.payload import Assignment, End

_numbers = itertools.count(1)


def task_id() -> str:
    """A new one."""
    return f"00000000-0000-8000-8000-{next(_numbers):012d}"


class Ears:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.begun: list[Order] = []
        self.ends: dict[Order, End] = {}
        self.notes: list[tuple[Order, str]] = []
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def started(self, order: Order, started_ms: int) -> None:
        assert started_ms > 0
        self.begun.append(order)
        self._tell()

    def ended(self, order: Order, end: End) -> None:
        assert order not in self.ends, "an order ends once"
        self.ends[order] = end
        self._tell()

    def heartbeat(self, order: Order, note: str) -> None:
        self.notes.append((order, note))
        self._tell()

    async def end_of(self, order: Order) -> End:
        await self.until(lambda: order in self.ends)
        return self.ends[order]

    async def until(self, holds: Any) -> None:
        async with self._news:
            await self._news.wait_for(holds)

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass
class FileCapture:
    """Output goes to files, in place of a catcher: `TASK.out`, `TASK.err`, and a channel file for each worker."""

    folder: Path
    sealed_keys: list[tuple[str, int]] = field(default_factory=list)
    channels: dict[str, bytes] = field(default_factory=dict)
    on_channel_ended: Callable[[str], None] = lambda name: None

    @dataclass
    class Pipes:
        stdout_fd: int
        stderr_fd: int

    @dataclass
    class Sealed:
        bytes: int
        lines: int

    def _open(self, name: str) -> int:
        return os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    async def open_pipes(self, identity: AttemptIdentity) -> Pipes:
        return self.Pipes(self._open(f"{identity.task_id}.out"), self._open(f"{identity.task_id}.err"))

    async def open_channel(self, name: str) -> int:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        loop = asyncio.get_running_loop()
        self.channels[name] = b""

        def read() -> None:
            data = os.read(read_end, 65_536)
            self.channels[name] += data
            if not data:
                loop.remove_reader(read_end)
                os.close(read_end)
                self.on_channel_ended(name)

        loop.add_reader(read_end, read)
        return write_end

    async def seal(self, task_id: str, attempt: int) -> Sealed:
        self.sealed_keys.append((task_id, attempt))
        text = self.output(task_id)
        return self.Sealed(len(text), text.count(b"\n"))

    async def sealed(self, task_id: str, attempt: int) -> Sealed:
        return await self.seal(task_id, attempt)

    def output(self, task_id: str) -> bytes:
        """All that an attempt printed, at either tier; standard output first."""
        text = b""
        for suffix in ("out", "err"):
            file = self.folder / f"{task_id}.{suffix}"
            text += file.read_bytes() if file.exists() else b""
        return text + b"".join(_frames_of(data, task_id) for data in self.channels.values())


def _frames_of(data: bytes, task_id: str) -> bytes:
    """What an attempt printed into a channel (format: `logsinks.capture.channel`)."""
    from logsinks.capture.channel import BEGIN, END, FrameParser

    mine: set[int] = set()
    text = b""
    for tag, kind, payload in FrameParser().feed(data):
        if kind == BEGIN and orjson.loads(payload)["task_id"] == task_id:
            mine.add(tag)
        elif kind == END:
            mine.discard(tag)
        elif tag in mine:
            text += payload
    return text


def order_for(
    module: Path,
    function: str,
    *args: Any,
    is_async: bool = False,
    time_limit_s: float | None = None,
    grace_s: float = 5.0,
    digest: str = "1",
    environment: Mapping[str, str] | None = None,
    kill_signal: str = "SIGTERM",
) -> Order:
    """An order for a function of a module."""
    definition = TaskDefinition(
        name=function,
        kind=DefinitionKind.PYTHON,
        module_path=module,
        function=function,
        is_async=is_async,
        service=ServiceSettings(kill_signal=kill_signal),
        environment=environment or {},
        source=module,
        digest=digest,
    )
    assignment = Assignment(task_id=task_id(), attempt=1, name=function, args=orjson.dumps(args).decode())
    return Order(
        key=f"{assignment.task_id}:1",
        assignment=assignment,
        definition=definition,
        time_limit_s=time_limit_s,
        grace_s=grace_s,
    )


def place_for(order: Order, root: Path, pipes: FileCapture.Pipes) -> Place:
    """Folders and environment as the steps of an attempt make them."""
    folder = root / order.assignment.task_id
    place = Place(
        folder=folder,
        control=folder / "control",
        work=folder / "work",
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "work"),
            "AZOLLA_TASK_ID": order.assignment.task_id,
            **order.definition.environment,
        },
        stdout_fd=pipes.stdout_fd,
        stderr_fd=pipes.stderr_fd,
    )
    place.control.mkdir(parents=True)
    place.work.mkdir()
    return place
