"""Builds a shepherd from its configuration, starts it, and stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import structlog

from logsinks.capture.client import Capture, HeldLogs
from logsinks.contract import NamedSink
from logsinks.identity import AttemptIdentity
from logsinks.registry import open_sink
from logsinks.shipper.shipper import Shipper
from shepherd.attempts.admission import Admission
from shepherd.attempts.adoption import adopt_all
from shepherd.attempts.journal import Journal
from shepherd.attempts.runner import Runner
from shepherd.attempts.steps.definition import Definitions
from shepherd.attempts.steps.environment import EnvironmentMaker, EnvironmentStep
from shepherd.attempts.steps.execute import ExecuteStep
from shepherd.attempts.steps.logs import LogsStep
from shepherd.attempts.steps.work_folder import WorkFolderStep, remove_tree
from shepherd.attempts.supervisor import Supervisor
from shepherd.config import ShepherdConfig
from shepherd.definitions import Catalog
from shepherd.identity import Identity, StateFolder
from shepherd.link.session import Room
from shepherd.link.stream import Introduction, Link
from shepherd.tiers.choose import TierChooser
from shepherd.tiers.contract import IsolationTier
from shepherd.tiers.process import ProcessTier
from shepherd.tiers.remains import Remains, ZombieSweep, become_subreaper
from shepherd.tiers.resident.launch import MARK, ResidentLaunch
from shepherd.tiers.resident.tier import ResidentTier
from shepherd.wire import codec
from shepherd.wire.messages import Hello, TaskOffer
from shepherd.workers.commands import attempt_command, resident_command

UPKEEP_EVERY_S = 2.0
LAST_RESULTS_S = 5.0
"""How long the orchestrator may take to acknowledge the last results when the shepherd stops."""
LAST_LOGS_S = 5.0
"""How long sinks may take for what is in the spool when the shepherd stops. The next start ships the rest."""

_log = structlog.get_logger(__name__)


class Stop:
    """How a shepherd is told to end: once to drain, twice to hurry."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def ask(self) -> None:
        """A signal came."""
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()


async def serve(config: ShepherdConfig, stop: Stop) -> None:
    """Run a shepherd until it is told to stop. Raises ShepherdError or LogSinkError where it can't run."""
    async with contextlib.AsyncExitStack() as stack:
        state = StateFolder(config.state)
        identity = state.open()
        stack.callback(state.close)
        become_subreaper()
        await Shepherd(config, identity).run(stop, stack)


class Shepherd:
    """The parts of one shepherd."""

    def __init__(self, config: ShepherdConfig, identity: Identity) -> None:
        self._config = config
        self._identity = identity
        self._catalog = Catalog(config.tasks)
        self._definitions = Definitions(self._catalog, time.monotonic, self._definitions_changed)
        self._offered: list[TaskOffer] = self._offers()
        room = Room(window=config.window_size, max_concurrency=config.max_concurrency)
        self._link = Link(config.orchestrator, Introduction(self._hello(), self._offers), room)
        self._zombies = ZombieSweep()
        self._supervisor: Supervisor | None = None
        self._process: ProcessTier | None = None
        self._resident: ResidentTier | None = None
        self._upkeep_timer: asyncio.TimerHandle | None = None

    async def run(self, stop: Stop, stack: contextlib.AsyncExitStack) -> None:
        """Start all parts, wait, stop them in order."""
        config, link = self._config, self._link
        self._tell_problems()
        journal = Journal(config.state / "journal", config.state / "work")
        journal.open()
        entries = journal.load()
        capture = await self._start_logs(stack)
        environment = EnvironmentMaker.from_names(config.secrets_env)
        process = self._process = ProcessTier(attempt_command(), now_ms)
        resident = self._resident = self._resident_tier(capture, environment)
        chooser = TierChooser({process.name: process, resident.name: resident}, config.isolation)
        chooser.check_default()
        execute = ExecuteStep(journal, link, now_ms)
        process.listen(execute)
        steps = (
            WorkFolderStep(config.state / "work"),
            EnvironmentStep(environment),
            LogsStep(capture, self._identity.shepherd_id, socket.gethostname()),
            execute,
        )
        supervisor = self._supervisor = Supervisor(
            admission=Admission(self._definitions, chooser, config.grace_s),
            runner=Runner(steps, now_ms),
            journal=journal,
            capture=capture,
            reporter=link,
            now_ms=now_ms,
            max_concurrency=config.max_concurrency,
        )
        resident.listen(supervisor)
        adopt_all(entries, supervisor=supervisor, execute=execute, tier=process, reporter=link)
        await self._end_strays()
        self._upkeep()
        await self._work(supervisor, (resident, process), stop)

    async def _work(self, supervisor: Supervisor, tiers: Iterable[IsolationTier], stop: Stop) -> None:
        linked = asyncio.ensure_future(self._link.run(supervisor))
        asked = asyncio.ensure_future(stop.asked.wait())
        try:
            await asyncio.wait((linked, asked), return_when=asyncio.FIRST_COMPLETED)
            fenced_off = linked.done()
            if fenced_off:
                stop.hurry.set()
            _log.info("draining", attempts=supervisor.held)
            self._link.close_room()
            await supervisor.drain(self._config.grace_s, stop.hurry)
            for tier in tiers:
                await tier.close()
            await supervisor.close()
            if not fenced_off and not await self._link.flush(LAST_RESULTS_S):
                _log.warning("the last results were not acknowledged; those in the journal are told at the next start")
        finally:
            if self._upkeep_timer is not None:
                self._upkeep_timer.cancel()
            for task in (linked, asked):
                task.cancel()
            await asyncio.gather(linked, asked, return_exceptions=True)
        if fenced_off:
            linked.result()

    async def _end_strays(self) -> None:
        """Warm workers of an earlier start end when they notice that it is gone. Here it is made sure."""
        left = await Remains.strays(f"{MARK}={self._identity.shepherd_id[:8]}-").end()
        if left:
            _log.warning("processes of an earlier start can't be ended", processes=left)
        remove_tree(self._config.state / "workers")

    def _resident_tier(self, capture: Capture, environment: EnvironmentMaker) -> ResidentTier:
        config = self._config
        launch = ResidentLaunch(
            resident_command(),
            folder=config.state / "workers",
            label=f"{self._identity.shepherd_id[:8]}-{self._identity.epoch}",
            environment=environment.of_definition,
            open_channel=capture.open_channel,
        )
        return ResidentTier(
            launch,
            now_ms,
            shepherd_id=self._identity.shepherd_id,
            most_workers=config.resident_workers,
            recycle_attempts=config.recycle_attempts,
            recycle_age_s=config.recycle_age_s,
        )

    async def _start_logs(self, stack: contextlib.AsyncExitStack) -> Capture:
        spool = self._config.state / "spool"
        sinks = [NamedSink(sink.name, open_sink(sink.url, sink.name)) for sink in self._config.sinks]
        shipper = Shipper(spool, sinks, on_opened=self._log_opened)
        stack.push_async_callback(shipper.stop, LAST_LOGS_S)
        capture = await Capture.start(
            spool, on_growth=shipper.growth, on_channel_ended=self._channel_ended, on_held=_tell_held
        )
        stack.push_async_callback(capture.shutdown)
        await shipper.start()
        return capture

    def _log_opened(self, identity: AttemptIdentity, sink: str, locator: str) -> None:
        self._link.news.log_opened(identity.task_id, identity.attempt, sink, locator)

    def _channel_ended(self, name: str, why: str) -> None:
        if why:
            _log.warning("a log channel broke", channel=name, why=why)
        if self._resident is not None:
            self._resident.channel_ended(name)

    def _hello(self) -> Hello:
        config = self._config
        return Hello(
            shepherd_uuid=self._identity.shepherd_id,
            epoch=self._identity.epoch,
            max_concurrency=config.max_concurrency,
            window=config.window_size,
            domain="default" if config.all_domains else config.domains[0],
            all_domains=config.all_domains,
            shepherd_group=config.queue,
            labels=dict(config.labels),
            host=socket.gethostname(),
            version=_version(),
        )

    def _offers(self) -> list[TaskOffer]:
        return [codec.offer(each.name, each.retry_policy_json()) for each in self._catalog.definitions()]

    def _definitions_changed(self) -> None:
        if self._supervisor is not None:
            self._supervisor.definitions_changed()
        self._tell_problems()
        offers = self._offers()
        if offers != self._offered:
            self._offered = offers
            self._link.news.offers(offers)

    def _tell_problems(self) -> None:
        for problem in self._catalog.problems():
            _log.warning("a task definition can't be used", problem=str(problem))

    def _upkeep(self) -> None:
        self._definitions.look_if_due()
        self._zombies.sweep()
        if self._process is not None:
            self._process.look_for_heartbeats()
        self._upkeep_timer = asyncio.get_running_loop().call_later(UPKEEP_EVERY_S, self._upkeep)


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def _tell_held(held: HeldLogs) -> None:
    if held.names:
        _log.warning("tasks wait, because their output can't be kept", why=held.why, logs=len(held.names))
    else:
        _log.info("all output can be kept again")


def _version() -> str:
    try:
        return version("azolla-local")
    except PackageNotFoundError:
        return "unknown"
