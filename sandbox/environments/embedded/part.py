"""One supervised process: started, found again after a supervisor died, started anew when it ends.

Standard library only.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

from sandbox.environments.embedded.pid_files import ProcessMark
from sandbox.environments.embedded.plan import PartPlan
from sandbox.environments.embedded.record import PERMANENT_EXITS, LastExit, PartRecord

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
HEALTHY_AFTER_S = 10.0
"""A part that ran so long is started again at once; only the next times wait."""
LOG_LIMIT_BYTES = 8 * 1024 * 1024
"""A log that is larger when its part starts is put aside as `.1`."""
_TAIL_BYTES = 4096
_TAIL_LINES = 12


class Part:
    """A process of the plan. Times are those of `time.monotonic`."""

    def __init__(self, plan: PartPlan, folder: Path) -> None:
        self.name = plan.name
        self.due: float | None = None
        """When to start it again; None unless it waits."""
        self._plan = plan
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None
        self._mark: ProcessMark | None = None
        self._state = "stopped"
        self._since_ms = _now_ms()
        self._started = 0.0
        self._pause = FIRST_PAUSE_S
        self._restarts = 0
        self._last_exit: LastExit | None = None
        self._log_begin = 0

    @property
    def running(self) -> bool:
        return self._child is not None or self._adopted is not None

    @property
    def failed(self) -> bool:
        return self._state == "failed"

    def record(self) -> PartRecord:
        """As it goes into `environment.json`."""
        return PartRecord(self._mark, self._state, self._since_ms, self._restarts, self._last_exit)

    def start(self) -> None:
        """Start the process. One that can't be started counts as one that ended at once."""
        self.due = None
        self._started = time.monotonic()
        try:
            log = self._open_log()
        except OSError as error:
            self._ended(None, None, (f"error: the log {self._plan.log} can't be written: {error.strerror}",))
            return
        try:
            self._child = subprocess.Popen(
                self._plan.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder
            )
        except OSError as error:
            self._ended(None, None, (f"error: {self._plan.command[0]} can't be started: {error.strerror}",))
            return
        finally:
            os.close(log)
        self._mark = ProcessMark.of(self._child.pid)
        self._set("running")

    def adopt(self, record: PartRecord, selector: selectors.BaseSelector) -> bool:
        """Take over the process that an earlier supervisor left running; False if there is none to take over."""
        descriptor = record.process.open() if record.process else None
        if descriptor is None:
            return False
        self._adopted, self._mark = descriptor, record.process
        self._restarts, self._last_exit = record.restarts, record.last_exit
        self._started = time.monotonic()
        self._log_begin = _size(Path(self._plan.log))
        self._state, self._since_ms = "running", record.since_ms
        selector.register(descriptor, selectors.EVENT_READ, self)
        return True

    def collect(self, selector: selectors.BaseSelector) -> bool:
        """See whether the process has ended, and decide what follows; True if it has."""
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return False
            self._child = None
            self._ended(status if status >= 0 else None, -status if status < 0 else None, self._tail())
            return True
        if self._adopted is not None and self._mark is not None and not self._mark.alive():
            selector.unregister(self._adopted)
            os.close(self._adopted)
            self._adopted = None
            self._ended(None, None, self._tail())
            return True
        return False

    def send(self, number: signal.Signals) -> None:
        """Signal the process, if it runs."""
        if self._child is not None:
            self._child.send_signal(number)
        elif self._mark is not None and self._adopted is not None:
            self._mark.send(number)

    def give_up_waiting(self) -> None:
        """It won't be started again."""
        self.due = None
        if not self.running and not self.failed:
            self._set("stopped")

    def _ended(self, code: int | None, number: int | None, lines: tuple[str, ...]) -> None:
        now = time.monotonic()
        self._mark = None
        self._last_exit = LastExit(code, number, _now_ms(), lines)
        if code in PERMANENT_EXITS and not self._restarts and now - self._started < HEALTHY_AFTER_S:
            # Only at its first start: later the same code means trouble that passes, a disk that is full or a port
            # that a client's connection holds for a moment.
            self._set("failed")
            return
        if now - self._started >= HEALTHY_AFTER_S:
            self._pause = 0.0
        self.due = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S) or FIRST_PAUSE_S
        self._restarts += 1
        self._set("waiting")

    def _set(self, state: str) -> None:
        self._state, self._since_ms = state, _now_ms()

    def _open_log(self) -> int:
        path = Path(self._plan.log)
        if _size(path) > LOG_LIMIT_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        self._log_begin = _size(path)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _tail(self) -> tuple[str, ...]:
        """The last lines that this process has written."""
        try:
            with Path(self._plan.log).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_begin, size - _TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError as error:
            return (f"(its log can't be read: {error.strerror})",)
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-_TAIL_LINES:]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not there yet
        return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
