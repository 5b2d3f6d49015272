"""The checks of a container engine. Which engine is meant is decided as the docker command decides it:
DOCKER_HOST, else DOCKER_CONTEXT, else the current context, else the default socket.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.environments.doctor.check import Finding, State, output_of

if TYPE_CHECKING:
    from docker.tls import TLSConfig

_TIMEOUT_S = 5
_ENABLES = "environments of containers, and tasks in containers"
_INSTALL = "install Docker Engine: docs.docker.com/engine/install, or apt install docker.io"
_DEFAULT_HOST = "unix:///var/run/docker.sock"
_LONGEST_WHY = 120
_LOCAL = ("unix://", "tcp://", "http://", "https://", "npipe://")


class Endpoint(NamedTuple):
    """Where the engine is to be found."""

    host: str
    source: str
    """What says so: `DOCKER_HOST`, `context NAME`, `default`."""
    tls: TLSConfig | None = None


def find_endpoint(environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The engine that the docker command would talk to; an empty host if what chooses it can't be read.

    Contexts are read from the files of the docker command, whose form its documentation of contexts shows: the Python
    library finds them only beside a `config.json`.
    """
    if host := environ.get("DOCKER_HOST"):
        return Endpoint(host, "DOCKER_HOST")
    settings = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = environ.get("DOCKER_CONTEXT") or _current_context(settings)
    if name == "default":
        return Endpoint(_DEFAULT_HOST, "context default")
    digest = sha256(name.encode()).hexdigest()
    try:
        meta: Any = json.loads((settings / "contexts" / "meta" / digest / "meta.json").read_bytes())
        return Endpoint(str(meta["Endpoints"]["docker"]["Host"]), f"context {name}", _tls(settings, digest))
    except FileNotFoundError:
        return Endpoint("", f"context {name}, which doesn't exist")
    except (OSError, ValueError, LookupError, TypeError) as error:
        return Endpoint("", f"context {name}, which can't be read: {error}")


def _current_context(settings: Path) -> str:
    try:
        chosen: Any = json.loads((settings / "config.json").read_bytes())
        return str(chosen.get("currentContext") or "default")
    except (OSError, ValueError, AttributeError):  # as the docker command does: without settings, the default
        return "default"


def _tls(settings: Path, digest: str) -> TLSConfig | None:
    folder = settings / "contexts" / "tls" / digest / "docker"
    if not folder.is_dir():
        return None
    from docker.tls import TLSConfig

    ca, certificate, key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
    pair = (str(certificate), str(key)) if certificate.exists() and key.exists() else None
    return TLSConfig(client_cert=pair, ca_cert=str(ca) if ca.exists() else None, verify=ca.exists())


def engine(environ: Mapping[str, str] = os.environ) -> Finding:
    """Whether an engine answers, and which one it is."""
    endpoint = find_endpoint(environ)
    if not endpoint.host:
        return _missing(
            f"{endpoint.source}", "docker context ls shows those that there are, docker context use NAME takes one"
        )
    if not endpoint.host.startswith(_LOCAL):
        return Finding(
            name="docker engine",
            state=State.WARN,
            found=f"{endpoint.host} ({endpoint.source}): on another machine, not asked",
            enables=_ENABLES,
            how="docker version tells whether it answers",
        )
    unusable = _unusable_socket(endpoint)
    if unusable is not None:
        return unusable
    version = _ask(endpoint, environ)
    if isinstance(version, str):
        why = version if len(version) <= _LONGEST_WHY else f"{version[:_LONGEST_WHY]}…"
        found = f"{endpoint.host} ({endpoint.source}) doesn't answer: {why}"
        return _missing(found, "start it, or point DOCKER_HOST to one that runs")
    platform = f"{version.get('Os', '?')}/{version.get('Arch', '?')}"
    found = f"{version.get('Version', '?')} (API {version.get('ApiVersion', '?')}, {platform}) at {endpoint.host}"
    return Finding(name="docker engine", state=State.OK, found=found, enables=_ENABLES)


def compose() -> Finding:
    """The Compose plugin of the docker command."""
    path = shutil.which("docker")
    version = output_of([path, "compose", "version", "--short"]) if path else None
    return Finding(
        name="docker compose",
        state=State.OK if version else State.MISSING,
        found=version or ("no plugin" if path else "no docker command"),
        enables="environments of containers",
        how="" if version else "apt install docker-compose-plugin, or docs.docker.com/compose/install",
    )


def _ask(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, Any] | str:
    """What the engine says of itself, or why it says nothing."""
    import docker
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    try:
        if endpoint.source == "DOCKER_HOST":
            options: dict[str, Any] = {**kwargs_from_env(environment=dict(environ))}
        else:
            options = {"base_url": endpoint.host, "tls": endpoint.tls or False}
        client: Any = docker.DockerClient(timeout=_TIMEOUT_S, **options)
        try:
            return dict(client.version())
        finally:
            client.close()
    except (DockerException, OSError, ValueError) as error:
        return str(error)


def _unusable_socket(endpoint: Endpoint) -> Finding | None:
    """What is wrong with the socket of a local engine, before anything is sent; None if it can be used."""
    if not endpoint.host.startswith("unix://"):
        return None
    where = f"{endpoint.host} ({endpoint.source})"
    socket = Path(endpoint.host.removeprefix("unix://"))
    if not socket.exists():
        return _missing(f"nothing at {where}", "systemctl start docker" if shutil.which("dockerd") else _INSTALL)
    if not os.access(socket, os.R_OK | os.W_OK):
        return _missing(f"{where} may not be used by you", "usermod -aG docker $USER, then log in again")
    return None


def _missing(found: str, how: str) -> Finding:
    return Finding(name="docker engine", state=State.MISSING, found=found, enables=_ENABLES, how=how)
