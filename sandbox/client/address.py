"""Where the orchestrator of an environment listens, and where the environment keeps its state."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sandbox.errors import EnvironmentNotFound, InvalidInput, OrchestratorUnreachable, SandboxError

DEFAULT_ENVIRONMENT = "default"
DEFAULT_HTTP = "127.0.0.1:52711"
DEFAULT_URL = f"http://{DEFAULT_HTTP}"
DEFAULT_GRPC = "127.0.0.1:52710"


def state_root() -> Path:
    """The folder that holds the state of all environments: `$XDG_STATE_HOME/azolla-local`."""
    given = os.environ.get("XDG_STATE_HOME")
    root = Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "state"
    return root / "azolla-local"


def find_url(url: str | None = None, env: str | None = None) -> str:
    """The address of the HTTP API: what was given, AZOLLA_LOCAL_URL, the environment's file, else the usual one.

    Only the environment `default` has a usual one: for another name that doesn't run, whatever listens there is
    another environment. Then EnvironmentNotFound or OrchestratorUnreachable is raised.
    """
    if not url and not env:
        url = os.environ.get("AZOLLA_LOCAL_URL")
    if url:
        return _checked(url)
    return f"http://{_of_environment(env, 'http', usual=DEFAULT_HTTP)}"


def find_grpc(env: str | None = None) -> str:
    """`host:port` of the gRPC door: AZOLLA_LOCAL_GRPC, the environment's file, else the usual one, as for HTTP."""
    return os.environ.get("AZOLLA_LOCAL_GRPC") or _of_environment(env, "grpc", usual=DEFAULT_GRPC)


def _checked(url: str) -> str:
    text = url if "://" in url else f"http://{url}"
    if not text.startswith(("http://", "https://")) or text.rstrip("/").endswith(":"):
        raise InvalidInput("This is no address of an HTTP API", subject=url, hint=f"such as {DEFAULT_URL}")
    return text.rstrip("/")


def _of_environment(env: str | None, door: str, *, usual: str) -> str:
    """What the environment's file says, else the usual address, unless that would be another environment's."""
    name = env or os.environ.get("AZOLLA_LOCAL_ENV") or DEFAULT_ENVIRONMENT
    root = state_root()
    found = _recorded(root / name, door)
    if found is not None:
        return found
    if name != DEFAULT_ENVIRONMENT:
        raise _not_running(root / name, "")
    for other in root.glob("*/environment.json"):
        if _recorded(other.parent, door) == usual:
            raise _not_running(root / name, f"at {usual} the environment {other.parent.name} is found")
    return usual


def _recorded(folder: Path, door: str) -> str | None:
    """What `environment.json` says; None where there is none, or it can't be read."""
    try:
        found: Any = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
        return str(found[door])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _not_running(folder: Path, why: str) -> SandboxError:
    hint = "azolla-local up   (status --all shows those that there are)"
    if not folder.is_dir():
        why = why or f"nothing is in {folder}"
        return EnvironmentNotFound(f"there is no environment {folder.name}", subject=folder.name, why=why, hint=hint)
    return OrchestratorUnreachable(f"The environment {folder.name} isn't running", why=why, hint=hint)
