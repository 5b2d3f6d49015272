"""Starts the process of a warm worker: a folder, a control socket, a log channel."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from shepherd.definitions import TaskDefinition
from shepherd.tiers.child import Child, Exit
from shepherd.tiers.resident.pool import PARALLEL
from shepherd.tiers.resident.worker import ResidentWorker

MARK = "AZOLLA_WORKER"
"""Tells the processes of one worker from all others; holds shepherd and worker."""


class ResidentLaunch:
    """See :class:`shepherd.tiers.resident.hiring.Launch`.

    `command` starts a worker; the descriptors are appended. `environment` makes the variables of a task from its
    definition and its home, and raises `Refused` where that can't be done. `open_channel` gives the write end of a log
    channel of that name.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        label: str,
        environment: Callable[[TaskDefinition, Path], Mapping[str, str]],
        open_channel: Callable[[str], Awaitable[int]],
    ) -> None:
        self._command = tuple(command)
        self._folder = folder
        self._label = label
        self._environment = environment
        self._open_channel = open_channel

    def check(self, definition: TaskDefinition) -> None:
        self._environment(definition, self._folder)

    async def start(self, worker: ResidentWorker, definition: TaskDefinition, left: Callable[[Exit], None]) -> None:
        home = self._home(worker)
        home.mkdir(parents=True, mode=0o700)
        name, _, value = self.mark(worker).partition("=")
        environment = {**self._environment(definition, home), name: value}
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        channel = -1
        try:
            worker.channel = f"{self._label}-{worker.name}"
            channel = await self._open_channel(worker.channel)
            worker.child = Child.spawn(
                (
                    *self._command,
                    f"--control={theirs.fileno()}",
                    f"--channel={channel}",
                    f"--parallel={PARALLEL}",
                ),
                environment=environment,
                folder=definition.service.working_directory or home,
                stdout=2,
                stderr=2,
                on_exit=left,
                pass_fds=(theirs.fileno(), channel),
                limit_mem=definition.service.limit_mem,
                nice=definition.service.nice,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            if channel >= 0:
                os.close(channel)
        await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)

    def mark(self, worker: ResidentWorker) -> str:
        return f"{MARK}={self._label}-{worker.name}"

    def remove(self, worker: ResidentWorker) -> None:
        shutil.rmtree(self._home(worker), ignore_errors=True)

    def _home(self, worker: ResidentWorker) -> Path:
        return self._folder / worker.name
