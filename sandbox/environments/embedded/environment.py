"""The embedded environment: orchestrator and shepherd as background processes of the user."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from sandbox import __version__
from sandbox.config.locations import StateFolder
from sandbox.environments.contract import DownOptions, DownReport, EnvironmentStatus, Say, UpOptions, UpReport
from sandbox.environments.lifecycle import command_lock, delete, size_of
from sandbox.errors import EnvironmentNotFound

if TYPE_CHECKING:
    from sandbox.config.sources import Configuration
    from sandbox.environments.embedded.processes import Started
    from sandbox.environments.embedded.rendering import Commands

_LOCK_TIMEOUT_S = 60.0


class EmbeddedEnvironment:
    """One of them, by its state folder. `up` needs a configuration, the rest doesn't.

    `commands` are the processes to run; those of the real parts if None.
    """

    def __init__(
        self, folder: StateFolder, configuration: Configuration | None = None, *, commands: Commands | None = None
    ) -> None:
        self.folder = folder
        self._configuration = configuration
        self._commands = commands
        self._started: Started | None = None

    def up(self, options: UpOptions, say: Say) -> UpReport:
        from sandbox.environments.embedded.rendering import COMMANDS
        from sandbox.environments.embedded.starting import Starting

        if self._configuration is None:
            raise ValueError("an environment needs a configuration to start")
        commands = COMMANDS if self._commands is None else self._commands
        starting = Starting(self.folder, self._configuration, commands, __version__, say)
        report = starting.up(options)
        self._started = starting.started
        return report

    def follow(self, on_change: Say, *, begin: Callable[[], None]) -> int:
        """After `up` with `foreground`: wait until the environment ends, or this process is told to.

        `begin` is called as soon as signals are taken. SIGINT and SIGTERM stop the environment in good order, a second one at once. Gives the exit code.
        """
        started = self._started
        if started is None:
            begin()
            return 0

        def forward(number: int, _frame: FrameType | None) -> None:
            on_change("stopping; once more to stop at once")
            started.process.send_signal(signal.Signals(number))

        before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            begin()
            self._tell_changes(started.changes, on_change)
            return started.process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._forget()

    def _forget(self) -> None:
        """The supervisor that this object has started has ended."""
        if self._started is not None:
            self._started.close()
            self._started = None

    def _tell_changes(self, changes: int, on_change: Say) -> None:
        from sandbox.environments.embedded.looking import part_changes

        told: dict[str, int] = {}
        while os.read(changes, 4096):
            for line in part_changes(self.folder, told):
                on_change(line)

    def down(self, options: DownOptions, say: Say) -> DownReport:
        from dataclasses import replace

        from sandbox.environments.embedded.stopping import stop

        if not self.folder.path.exists():
            self._forget()
            return DownReport(name=self.folder.name, was_running=False)
        with command_lock(self.folder, timeout_s=_LOCK_TIMEOUT_S, say=say):
            report = stop(self.folder, options, say)
            if options.volumes:
                delete([self.folder.path])
                report = replace(report, deleted=True)
        self._forget()
        return report

    def status(self) -> EnvironmentStatus:
        from sandbox.environments.embedded.looking import look

        return look(self.folder)

    def doomed_bytes(self, what: str) -> int:
        """How much `reset` would delete. Raises EnvironmentNotFound."""
        if not self.folder.exists():
            raise EnvironmentNotFound(
                f"there is no environment {self.folder.name}",
                subject=self.folder.name,
                why=f"nothing is in {self.folder.path}",
                hint="azolla-local status --all",
            )
        paths = [self.folder.path] if what == "all" else self._paths(what)
        return sum(size_of(path) for path in paths if path.exists())

    def reset(self, what: str, say: Say) -> int:
        """Stop the environment if it runs, and delete `tasks`, `logs` or `all`; gives the bytes that were freed."""
        from sandbox.environments.embedded.stopping import stop

        with command_lock(self.folder, timeout_s=_LOCK_TIMEOUT_S, say=say):
            stop(self.folder, DownOptions(), say)
            self._forget()
            return delete([self.folder.path] if what == "all" else self._paths(what))

    def _paths(self, what: str) -> list[Path]:
        # What the shepherd knows of attempts belongs to the tasks; its spool holds output that is not shipped yet.
        of = {"tasks": [self.folder.orchestrator, self.folder.shepherd], "logs": [self.folder.logs]}
        return of[what]
