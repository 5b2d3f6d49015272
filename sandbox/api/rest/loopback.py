"""Who may ask: programs of this machine, and no web page that a browser of this machine shows.

The API has no login; it listens on the loopback address. Two ways remain by which a foreign page could reach it
through a browser: a name that it makes resolve to 127.0.0.1 (DNS rebinding; seen in `Host`), and a plain
cross-site request (seen in `Origin`). Both are refused. No CORS headers are ever sent.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.api.rest.problems import answer
from sandbox.errors import NotAllowed


class LoopbackOnly:
    """ASGI middleware. `hosts`: further names under which the API may be asked, lower-case, without port."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            refusal = self._refusal(scope)
            if refusal is not None:
                await answer(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> NotAllowed | None:
        host = origin = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
        if host is None or not self._known(host_name(host)):
            return NotAllowed(
                "The API answers to names of this machine only",
                subject=host or "no Host header",
                hint="ask http://127.0.0.1 or http://localhost",
            )
        if origin is not None and not self._known(_name_of(origin)):
            return NotAllowed("The API doesn't answer to web pages of other sites", subject=origin)
        return None

    def _known(self, name: str) -> bool:
        return name in self._hosts or is_loopback(name)


def _name_of(origin: str) -> str:
    try:
        return str(urlsplit(origin).hostname or "")
    except ValueError:  # brackets that don't match
        return ""


def host_name(host: str) -> str:
    """The name or address in a Host header, lower-case, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # brackets that don't match
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host name can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
