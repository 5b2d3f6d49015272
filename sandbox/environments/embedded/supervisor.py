"""The supervisor of an embedded environment: `python -m sandbox.environments.embedded.supervisor --state DIR`.

Starts the parts that `supervisor.json` names, starts them again when they end, and says in `environment.json` what
runs. SIGTERM and SIGINT stop the parts one after another, the last one first, so that the shepherd can hand its
results in; a second one, or SIGQUIT, stops them at once. A part that ends with an exit code that would be the same
next time is not started again. If the supervisor itself is killed, its parts go on; the next one takes them over.

Options for who starts it: `--notify FD` gets a byte after each change of the file, and its end when we end; `--leash
FD` stops the environment when its other end is closed.

Nothing but the standard library is imported, so that it stays small.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import sys
import time
from pathlib import Path

from sandbox.config.locations import StateFolder
from sandbox.environments.embedded.part import Part
from sandbox.environments.embedded.pid_files import ProcessMark
from sandbox.environments.embedded.plan import Plan, read_plan
from sandbox.environments.embedded.record import Record, read_record, write_json

EXIT_BUSY = 5
_NOW_TIMEOUT_S = 3.0
"""How long a part may take to end after SIGTERM when everything has to stop at once."""


class Supervisor:
    """The loop. It sleeps until a signal, the end of a process, or the next thing that is due."""

    def __init__(self, folder: StateFolder, plan: Plan, *, notify: int | None, leash: int | None) -> None:
        self._folder = folder
        self._plan = plan
        self._notify = notify
        self._leash = leash
        self._selector = selectors.DefaultSelector()
        self._parts = [Part(part, folder.path) for part in plan.parts]
        self._to_stop: list[Part] | None = None
        self._now = False
        self._stop_timeout_s = plan.stop_timeout_s
        self._kill_at: float | None = None
        self._started_ms = time.time_ns() // 1_000_000
        me = ProcessMark.of(os.getpid())
        if me is None:
            raise RuntimeError("this process isn't in the list of processes")
        self._me = me

    def run(self) -> int:
        """Supervise until told to stop; everything is stopped afterwards. Gives the exit code."""
        signals = self._listen()
        earlier = read_record(self._folder.record)
        if earlier is not None:
            self._started_ms = earlier.started_ms
        for part in self._parts:
            known = earlier.parts.get(part.name) if earlier is not None else None
            if known is None or not part.adopt(known, self._selector):
                part.start()
        self._tell()
        while self._to_stop is None or self._to_stop:
            for key, _ in self._selector.select(self._pause()):
                if key.fd == signals:
                    self._take(os.read(signals, 512))
                elif key.fd == self._leash and not os.read(key.fd, 512):
                    self._selector.unregister(key.fd)
                    self._stop(now=False)
            self._step()
        self._folder.record.unlink(missing_ok=True)
        return 0

    def _listen(self) -> int:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, _only_wake)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._selector.register(reader, selectors.EVENT_READ)
        if self._leash is not None:
            self._selector.register(self._leash, selectors.EVENT_READ)
        return reader

    def _take(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGQUIT or (number in {signal.SIGTERM, signal.SIGINT} and self._to_stop is not None):
                self._stop(now=True)
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self._stop(now=False)

    def _stop(self, *, now: bool) -> None:
        if self._to_stop is None:
            self._stop_timeout_s = self._read_stop_timeout()
            for part in self._parts:
                part.give_up_waiting()
            self._to_stop = [part for part in reversed(self._parts) if part.running]
            self._ask_next_to_stop()
            self._tell()
        if now and not self._now:
            self._now = True
            self._kill_at = time.monotonic()

    def _read_stop_timeout(self) -> float:
        """Read again: `down --timeout` may have changed it since the start."""
        try:
            return read_plan(self._folder.plan).stop_timeout_s
        except (OSError, ValueError, KeyError):  # gone or damaged meanwhile: what was true at the start
            return self._plan.stop_timeout_s

    def _step(self) -> None:
        """Whatever is due by now."""
        ended = [part for part in self._parts if part.collect(self._selector)]
        if self._to_stop is not None:
            for part in ended:
                part.give_up_waiting()
            self._go_on_stopping()
        now = time.monotonic()
        due = [part for part in self._parts if part.due is not None and part.due <= now]
        for part in due:
            part.start()
        if ended or due:
            self._tell()

    def _go_on_stopping(self) -> None:
        stopping = self._to_stop or []
        if stopping and not stopping[0].running:
            while stopping and not stopping[0].running:
                stopping.pop(0)
            self._ask_next_to_stop()
        elif stopping and self._kill_at is not None and time.monotonic() >= self._kill_at:
            stopping[0].send(signal.SIGKILL)
            self._kill_at = None

    def _ask_next_to_stop(self) -> None:
        if not self._to_stop:
            return
        self._to_stop[0].send(signal.SIGTERM)
        self._kill_at = time.monotonic() + (_NOW_TIMEOUT_S if self._now else self._stop_timeout_s)

    def _pause(self) -> float | None:
        """Seconds until something is due; None: nothing is."""
        dues = [part.due for part in self._parts if part.due is not None]
        if self._kill_at is not None:
            dues.append(self._kill_at)
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _tell(self) -> None:
        try:
            write_json(self._folder.record, self._record().to_json())
        except OSError as error:  # a full disk must not stop what runs; the next change is written again
            _log(f"{self._folder.record} can't be written: {error.strerror}")
        if self._notify is not None:
            try:
                os.write(self._notify, b".")
            except BlockingIOError:
                pass  # there is a byte already that nobody has read
            except BrokenPipeError:
                os.close(self._notify)  # `up` has seen enough
                self._notify = None

    def _record(self) -> Record:
        plan = self._plan
        return Record(
            name=plan.name,
            state="running" if self._to_stop is None else "stopping",
            version=plan.version,
            python=sys.executable,
            http=plan.http,
            grpc=plan.grpc,
            logs=plan.logs,
            tasks=plan.tasks,
            started_ms=self._started_ms,
            supervisor=self._me,
            parts={part.name: part.record() for part in self._parts},
        )


def _log(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        pass  # our log lies on the same disk, which may be full; what runs goes on


def _only_wake(_number: int, _frame: object) -> None:
    """The signal comes through the wake-up descriptor; a handler must be there for that."""


def main(words: list[str]) -> int:
    """Read the options and supervise."""
    options = dict(zip(words[::2], words[1::2], strict=True))
    folder = StateFolder(Path(options["--state"]))
    notify, leash = (int(options[name]) if name in options else None for name in ("--notify", "--leash"))
    for descriptor in (notify, leash):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
    if notify is not None:
        os.set_blocking(notify, False)
    lock = os.open(folder.supervisor_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write(f"error: another supervisor works in {folder.path}\n")
        return EXIT_BUSY
    return Supervisor(folder, read_plan(folder.plan), notify=notify, leash=leash).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
