"""Sink URLs: `scheme://place?option=value`, as the configuration has them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from logsinks.errors import SinkUrlError

_SECRET_OPTION = re.compile(r"secret|password|token|key", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZE = re.compile(r"(\d+)([KMGT]?)(?:i?B)?\Z", re.IGNORECASE)
_FACTOR = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkUrl:
    """A parsed sink URL. :meth:`parse` makes it; the methods read options and say what is wrong with them."""

    scheme: str
    host: str
    """With the port, without user and password."""
    user: str
    password: str
    path: str
    """Decoded."""
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> SinkUrl:
        """The parts of a URL; SinkUrlError where it can't be read."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise SinkUrlError("A sink URL can't be read", subject=text, why=str(error)) from error
        if not parts.scheme:
            raise SinkUrlError("A sink URL has no scheme", subject=text, hint="like file:///var/log/tasks, stdout:")
        options: dict[str, str] = {}
        for item in filter(None, parts.query.split("&")):
            name, _, value = item.partition("=")
            if unquote(name) in options:
                raise SinkUrlError("A sink URL has an option twice", subject=text, why=unquote(name))
            options[unquote(name)] = unquote(value)
        host = parts.hostname or ""
        return cls(
            scheme=parts.scheme,
            host=f"{host}:{port}" if port else host,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            path=unquote(parts.path),
            options=options,
        )

    def __str__(self) -> str:
        """To be shown: what may be secret is hidden."""
        user = f"{self.user}{':***' if self.password else ''}@" if self.user else ""
        shown = {name: "***" if _SECRET_OPTION.search(name) else value for name, value in self.options.items()}
        query = "&".join(f"{name}={value}" for name, value in shown.items())
        authority = f"//{user}{self.host}" if user or self.host or self.path else ""
        return f"{self.scheme}:{authority}{self.path}{'?' if query else ''}{query}"

    def only(self, known: Iterable[str]) -> None:
        """SinkUrlError for an option that the sink doesn't know, with the nearest that it does."""
        names = list(known)
        for name in self.options:
            if name not in names:
                nearest = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {nearest[0]}?" if nearest else f"options: {', '.join(names) or 'none'}"
                raise SinkUrlError("A sink URL has an unknown option", subject=str(self), why=name, hint=hint)

    def duration(self, name: str) -> timedelta | None:
        """An option like `30d`; None if it isn't given."""
        text = self.options.get(name)
        if text is None:
            return None
        found = _DURATION.match(text)
        if found is None:
            raise SinkUrlError(
                "A sink URL has a wrong duration", subject=str(self), why=f"{name}={text}", hint="like 90s, 12h, 30d"
            )
        return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])

    def size(self, name: str) -> int | None:
        """An option like `10G`, in bytes; None if it isn't given."""
        text = self.options.get(name)
        if text is None:
            return None
        found = _SIZE.match(text)
        if found is None:
            raise SinkUrlError(
                "A sink URL has a wrong size", subject=str(self), why=f"{name}={text}", hint="like 512M, 10G"
            )
        return int(found[1]) * _FACTOR[found[2].upper()]

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """An option that is one of a few words."""
        value = self.options.get(name, default)
        words = list(choices)
        if value not in words:
            raise SinkUrlError(
                "A sink URL has a wrong option",
                subject=str(self),
                why=f"{name}={value}",
                hint=f"one of {', '.join(words)}",
            )
        return value
