"""From a sink URL to the sink: our own, and those that other packages offer as entry points `logsinks.sinks`.

An entry point is named after the URL's scheme and points to a class with `from_url(url, name)`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from logsinks.contract import Sink
from logsinks.errors import UnknownSink
from logsinks.sink_url import SinkUrl

GROUP = "logsinks.sinks"

_OURS = {
    "file": ("logsinks.sinks.local.sink", "LocalSink"),
    "stdout": ("logsinks.sinks.stdout.sink", "StdoutSink"),
}
"""Found without a search through all installed packages, which takes longer than everything else at a start."""


def open_sink(url: str, name: str) -> Sink:
    """The sink of a URL. SinkUrlError, TemplateError, UnknownSink: nothing was touched yet."""
    parsed = SinkUrl.parse(url)
    ours = _OURS.get(parsed.scheme)
    if ours is not None:
        found: Any = getattr(import_module(ours[0]), ours[1])
    else:
        # opensearch+https:// is the sink opensearch over https.
        scheme = parsed.scheme.partition("+")[0]
        offered = {point.name: point for point in entry_points(group=GROUP)}
        if scheme not in offered:
            raise UnknownSink(
                "No sink of that kind is installed",
                subject=str(parsed),
                why=f"scheme {scheme}",
                hint=f"installed: {', '.join(sorted({*offered, *_OURS}))}",
            )
        found = offered[scheme].load()
    sink: Sink = found.from_url(parsed, name)
    return sink
