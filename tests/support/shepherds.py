"""A real shepherd process for tests, with its folders, against the small orchestrator."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from shepherd.wire.messages import Task
from tests.support.fake_orchestrator import FakeOrchestrator


class ShepherdProcess:
    """`python -m shepherd` on folders of its own; may be started again on the same ones."""

    def __init__(self, folder: Path, address: str, **settings: Any) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.tasks = folder / "tasks"
        self.logs = folder / "logs"
        self.tasks.mkdir(parents=True, exist_ok=True)
        self.config = folder / "shepherd.json"
        self.config.write_text(
            json.dumps(
                {
                    "orchestrator": address,
                    "state": str(self.state),
                    "tasks": [str(self.tasks)],
                    "sinks": [{"name": "local", "url": f"file://{self.logs}"}],
                    "resident_workers": 2,
                    "grace_s": 5,
                    **settings,
                }
            )
        )
        self.process: asyncio.subprocess.Process | None = None
        self._log = (folder / "shepherd.log").open("ab")

    @property
    def log(self) -> str:
        """What it said of itself."""
        return (self.folder / "shepherd.log").read_text()

    async def start(self) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "shepherd",
            "--config",
            str(self.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        return self.process

    async def kill(self) -> None:
        """Kill -9, as an accident would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, and the exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def close(self) -> None:
        """At the end of a test: nothing of it runs on."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        self._log.close()


async def connected(fake: FakeOrchestrator, hellos: int = 1) -> None:
    """Until a shepherd has said so many hellos."""
    await fake.until(lambda: len(fake.hellos) >= hellos)


def task(task_id: str, name: str, *args: Any, attempt: int = 1, **fields: Any) -> Task:
    """An assignment."""
    return Task(task_id=task_id, name=name, attempt=attempt, args=json.dumps(args), kwargs="{}", **fields)
