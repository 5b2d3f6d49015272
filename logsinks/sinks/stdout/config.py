"""Options of the stdout sink."""

from __future__ import annotations

from dataclasses import dataclass

from logsinks.errors import SinkUrlError
from logsinks.sink_url import SinkUrl


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutConfig:
    """`stdout:?format=json` (default) or `stdout:?format=plain`."""

    json: bool = True

    @classmethod
    def from_url(cls, url: SinkUrl) -> StdoutConfig:
        """The options of a URL; SinkUrlError."""
        url.only(("format",))
        if url.host or url.path:
            raise SinkUrlError("A stdout sink has no place", subject=str(url), hint="like stdout:?format=json")
        return cls(json=url.choice("format", ("json", "plain"), "json") == "json")
