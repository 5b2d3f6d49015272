"""Which ports the orchestrator gets, and who has those that it can't get."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable
from typing import NamedTuple

from sandbox.config.locations import StateFolder
from sandbox.config.sources import Configuration
from sandbox.environments.embedded.record import read_record
from sandbox.errors import PortTaken

_OUT_OF_THE_WAY = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections (from 32768 on Linux). A client that calls while nobody
listens could otherwise be given the very port that it calls, and keep the server from coming back."""


class Ports(NamedTuple):
    """The two doors as `host:port`, and what is to be said about how they were chosen."""

    grpc: str
    http: str
    notes: tuple[str, ...] = ()
    automatic: bool = False
    """Whether at least one was chosen by us, so that another can be chosen if it is taken meanwhile."""


def choose_ports(configuration: Configuration, name: str, *, before: tuple[str, str] | None = None) -> Ports:
    """The ports for the environment of that name. `before`: the addresses (grpc, http) that it had last time.

    A port of 0 means any free one, preferably that of last time. A port that is taken is an error, except where it is
    the default, nobody asked for it, and another environment of ours has it: then any free one is taken.

    Raises PortTaken, which names the owner.
    """
    host = configuration.settings.orchestrator.host
    last = dict(zip(("grpc", "http"), before or ("", ""), strict=True))
    chosen: dict[str, int] = {}
    notes: list[str] = []
    automatic = False
    for door in ("grpc", "http"):
        path = ("orchestrator", f"{door}_port")
        wanted: int = getattr(configuration.settings.orchestrator, path[1])
        if wanted and is_free(host, wanted):
            chosen[door] = wanted
            continue
        if wanted:
            other = environment_at(wanted, other_than=name)
            if other is None or configuration.origin(path).kind != "default":
                raise _taken(host, wanted, door, other)
            notes.append(f"port {wanted} is used by the environment {other}, so {door} has another one")
        automatic = True
        chosen[door] = _free_port(host, _port_of(last[door]), not_these=chosen.values())
    return Ports(f"{host}:{chosen['grpc']}", f"{host}:{chosen['http']}", tuple(notes), automatic)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier server that are still closing don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def owner_of(port: int) -> str:
    """The process that listens at the port, in words; says so where the system doesn't tell."""
    import psutil

    try:
        listening = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
    except (psutil.Error, OSError):
        return "the system doesn't tell which process listens there"
    pids = {connection.pid for connection in listening if connection.pid}
    for pid in pids:
        try:
            process = psutil.Process(pid)
            return f"{process.name()} (process {pid} of {process.username()}) listens there"
        except psutil.Error:
            return f"process {pid} listens there"
    if listening:
        return "a process of another user, or in another container, listens there; the system doesn't tell which"
    return "no process listens there, but the system refuses the port"


def environment_at(port: int, *, other_than: str | None = None) -> str | None:
    """The name of the running environment of ours that has the port, `other_than` left out; None if none has."""
    for folder in StateFolder.all():
        record = read_record(folder.record) if folder.name != other_than else None
        if record is None or port not in {_port_of(record.grpc), _port_of(record.http)}:
            continue
        if record.alive() or record.running_parts():
            return folder.name
    return None


def _taken(host: str, port: int, door: str, environment: str | None) -> PortTaken:
    if environment is not None:
        why = f"the environment {environment} of azolla-local uses it"
        stop = f", or stop the other: azolla-local --env {environment} down"
    else:
        why = owner_of(port)
        stop = ""
    return PortTaken(
        f"port {port} is taken",
        subject=f"{host}:{port}",
        why=why,
        hint=f"azolla-local up --{door}-port 0   (any free port{stop})",
    )


def _free_port(host: str, preferred: int, *, not_these: Iterable[int]) -> int:
    if preferred and preferred not in not_these and is_free(host, preferred):
        return preferred
    for port in random.sample(_OUT_OF_THE_WAY, 200):
        if port not in not_these and is_free(host, port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _port_of(address: str) -> int:
    port = address.rpartition(":")[2]
    return int(port) if port.isdecimal() else 0
