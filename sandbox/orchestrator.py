"""The orchestrator process: builds the parts, starts them, stops them in reverse.

`python -m sandbox.orchestrator --config FILE`; the file is JSON, written by the environment:

=============  ======================================================================================
name           the environment's name
state          folder of the database
grpc, http     addresses to listen at, `host:port`, loopback only
durability     `full`, `normal` or `async`
domains        configured domains, by name
tasks          task folders, for names at the door
sinks          log sinks, as [{"name": …, "url": …}]
lease_s        silence after which a shepherd's attempts are lost
heartbeat_s    how often a shepherd is to say something
result_keep_s  how long the result of an ended task stays in memory
log_format     `text` or `json`
=============  ======================================================================================

It ends with 0 after SIGTERM or SIGINT, else with the exit code of the error that it printed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog
import uvloop

from sandbox import __version__
from sandbox.api.rpc.client_service import ClientCalls, TasksCalls
from sandbox.api.rpc.cluster_service import ClusterCalls
from sandbox.api.rpc.server import RpcServer
from sandbox.dispatch.dispatcher import Dispatcher
from sandbox.dispatch.reception import Reception
from sandbox.dispatch.shepherds import Shepherds
from sandbox.dispatch.waiters import Waiters
from sandbox.errors import BadConfig, PortTaken, SandboxError
from sandbox.model.clock import SystemClock
from sandbox.scheduler.engine import Engine
from sandbox.service.definitions import DefinitionView
from sandbox.service.figures import Figures
from sandbox.service.logs import LogService
from sandbox.service.services import Services
from sandbox.service.shepherds import ShepherdService
from sandbox.service.tasks import TaskService
from sandbox.service.upkeep import UpkeepService
from sandbox.store.contract import Durability
from sandbox.store.sqlite import SqliteStore
from sandbox.telemetry.logs import configure_logging
from sandbox.telemetry.metrics import Metrics
from shepherd.definitions import Catalog

if TYPE_CHECKING:
    import uvicorn

_STOP_GRACE_S = 1.0

SWITCH_INTERVAL_S = 0.0005
"""How long the busy loop may keep the writer thread from going on after a commit (Python's default: 5 ms)."""

_log = structlog.stdlib.get_logger("sandbox.orchestrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The configuration of this process, as in the table above."""

    name: str = "default"
    state: str
    grpc: str = "127.0.0.1:52710"
    http: str = "127.0.0.1:52711"
    durability: Durability = Durability.FULL
    domains: dict[str, Any] = field(default_factory=dict[str, Any])
    tasks: list[str] = field(default_factory=list[str])
    sinks: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    lease_s: float = 10.0
    heartbeat_s: float = 2.0
    result_keep_s: float = 3600.0
    log_format: str = "text"

    @classmethod
    def read(cls, path: Path) -> Options:
        """From the file. BadConfig if it can't be read or a key is missing or wrong."""
        try:
            value: Any = orjson.loads(path.read_bytes())
            value["durability"] = Durability(value.get("durability", Durability.FULL))
            options = cls(**value)
            for address in (options.grpc, options.http):
                _address(address)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BadConfig(
                "The configuration of the orchestrator can't be read",
                problems=(str(error),),
                subject=str(path),
                hint="`azolla-local up` writes this file; start the orchestrator with it",
            ) from error
        return options


class FolderDefinitions:
    """The task folders, read when somebody asks and something changed."""

    def __init__(self, folders: Collection[str]) -> None:
        self._catalog = Catalog([Path(folder) for folder in folders])

    def names(self) -> Collection[str]:
        self._catalog.refresh()
        return self._catalog.names()

    def views(self) -> tuple[list[DefinitionView], list[str]]:
        self._catalog.refresh()
        views = [
            DefinitionView(
                name=definition.name,
                source=str(definition.source),
                kind=definition.kind.value,
                description=definition.description,
            )
            for definition in self._catalog.definitions()
        ]
        return views, [str(problem) for problem in self._catalog.problems()]


async def run(options: Options, store: SqliteStore) -> None:
    """Serve until SIGTERM or SIGINT. The store is open; it is closed by the caller."""
    clock = SystemClock()
    shepherds = Shepherds(clock, options.lease_s)
    dispatcher = Dispatcher(shepherds)
    metrics = Metrics(lambda: services.upkeep.gauges())  # noqa: PLW0108 - `services` is made below
    waiters = Waiters(Figures(metrics).count)
    engine = Engine(store, dispatcher, waiters, clock, result_keep_ms=round(options.result_keep_s * 1000))
    tasks = TaskService(
        engine,
        store.reader,
        waiters,
        shepherds,
        FolderDefinitions(options.tasks),
        clock,
        configured_domains=options.domains,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = ClusterCalls(
        engine,
        Reception(shepherds, engine, clock),
        shepherds,
        clock,
        heartbeat_s=options.heartbeat_s,
        lease_s=options.lease_s,
        version=__version__,
    )
    services = Services(
        tasks=tasks,
        logs=LogService(engine, store.reader, waiters, clock, options.sinks),
        shepherds=ShepherdService(shepherds, engine),
        upkeep=UpkeepService(
            engine,
            store,
            shepherds,
            waiters,
            clock,
            facts={"environment": options.name, "version": __version__, "grpc": options.grpc, "http": options.http},
            database=store.database,
        ),
    )
    async with AsyncExitStack() as parts:
        # Listen before the state is read: who calls a restarted orchestrator waits instead of being refused.
        # Calls are answered by this very loop, so none of them is before `start` is through.
        http_socket = parts.enter_context(_listen(options.http, "http_port"))
        _check_free(options.grpc, "grpc_port")
        rpc = RpcServer(ClientCalls(tasks), TasksCalls(tasks), cluster)
        await _start_rpc(rpc, options.grpc)
        engine.start(__version__)
        gc.freeze()  # not collected first: what was just read is no garbage, and looking takes longer than reading
        parts.push_async_callback(engine.stop)
        parts.push_async_callback(rpc.stop, _STOP_GRACE_S)
        await parts.enter_async_context(_http(services, metrics, http_socket))
        _log.info("ready", environment=options.name, grpc=options.grpc, http=options.http)
        await stop.wait()
        _log.info("stopping")
        dispatcher.close("the orchestrator stops")


@contextlib.asynccontextmanager
async def _http(services: Services, metrics: Metrics, listening: socket.socket) -> AsyncGenerator[None]:
    # Beside the loop: shepherds and Azolla's clients are served while the web framework is still loading.
    server = await asyncio.to_thread(_load_http, services, metrics)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving


def _load_http(services: Services, metrics: Metrics) -> uvicorn.Server:
    import uvicorn

    from sandbox.api.rest.app import create_app

    class Server(uvicorn.Server):
        """The orchestrator has the signals, not the web server."""

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

    config = uvicorn.Config(
        create_app(services, metrics=metrics),
        loop="none",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    return Server(config)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _listen(address: str, setting: str) -> socket.socket:
    host, port = _address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise _taken(address, setting, error) from error
    return listening


def _check_free(address: str, setting: str) -> None:
    # gRPC's own message about a taken port says neither which nor why.
    _listen(address, setting).close()


async def _start_rpc(rpc: RpcServer, address: str) -> None:
    try:
        await rpc.start(address)
    except (RuntimeError, OSError) as error:
        raise _taken(address, "grpc_port", error) from error


def _taken(address: str, setting: str, error: BaseException) -> PortTaken:
    return PortTaken(
        "The port can't be had",
        subject=address,
        why=str(error),
        hint=f"end who has it, or choose another with orchestrator.{setting} in azolla.toml (0: any free one)",
    )


def main() -> int:
    """The process: 0 after an orderly end."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.orchestrator", description="The orchestrator process.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file written by `azolla-local up`")
    arguments = parser.parse_args()
    try:
        options = Options.read(arguments.config)
        configure_logging("orchestrator", options.log_format)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.set_threshold(50_000, 20, 50)
        store = SqliteStore(Path(options.state) / "azolla.db", options.durability)
        store.open()
        try:
            uvloop.run(run(options, store))
        finally:
            store.close()
    except SandboxError as error:
        _tell(error)
        return error.exit_code
    return 0


def _tell(error: SandboxError) -> None:
    lines = [f"error: {error.what}" + (f" ({error.subject})" if error.subject else "")]
    lines += [f"  because {line}" for line in error.why.splitlines()]
    if error.hint:
        lines.append(f"  try: {error.hint}")
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
