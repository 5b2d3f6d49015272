"""Options of the local sink."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from logsinks.errors import SinkUrlError
from logsinks.sink_url import SinkUrl
from logsinks.templates import DEFAULT_TEMPLATE, Template

OPTIONS = ("template", "keep", "max_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalConfig:
    """`file:///folder?template={date}/{task_name}-{task_id}&keep=30d&max_size=10G`."""

    root: Path
    template: Template
    keep: timedelta | None = None
    """Logs that were last written longer ago are removed; None: kept for ever."""
    max_bytes: int | None = None
    """All logs together; the oldest go first. None: no bound."""

    @classmethod
    def from_url(cls, url: SinkUrl) -> LocalConfig:
        """The options of a URL; SinkUrlError or TemplateError."""
        url.only(OPTIONS)
        if url.host not in {"", "localhost"} or not url.path.startswith("/"):
            raise SinkUrlError(
                "The folder of a file sink must be an absolute path",
                subject=str(url),
                hint="like file:///var/log/tasks",
            )
        return cls(
            root=Path(url.path),
            template=Template.parse(url.options.get("template", DEFAULT_TEMPLATE)),
            keep=url.duration("keep"),
            max_bytes=url.size("max_size"),
        )
