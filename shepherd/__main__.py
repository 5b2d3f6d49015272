"""`python -m shepherd --config FILE`: one shepherd, in the foreground, until SIGTERM or SIGINT.

The first signal drains: what has not started is handed back, what runs may finish within the grace. A second one ends
the grace. Exit status: 0 after a drain, 2 a mistake in the configuration, 5 the state folder is in use, 6 refused by
the orchestrator or isolation that can't be had, 7 the state folder can't be used, 70 a bug.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog
import uvloop

from logsinks.errors import LogSinkError
from shepherd.app import Stop, serve
from shepherd.config import ShepherdConfig, load_config
from shepherd.errors import ShepherdError


def main() -> int:
    """Run, and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m shepherd", description="Run one shepherd of azolla-local.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="its configuration, a JSON file")
    given = parser.parse_args()
    try:
        config = load_config(given.config)
        set_up_logs(config)
        uvloop.run(_run(config))
    except (ShepherdError, LogSinkError) as error:
        sys.stderr.write(explain(error))
        return error.exit_code
    return 0


async def _run(config: ShepherdConfig) -> None:
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    await serve(config, stop)


def explain(error: ShepherdError | LogSinkError) -> str:
    """What happened, to what, why, and what to do next, as a few lines."""
    lines = [f"error: {error.what} ({error.subject})" if error.subject else f"error: {error.what}"]
    lines += [f"  because {line}" for line in error.why.splitlines()]
    if error.hint:
        lines.append(f"  try: {error.hint}")
    return "\n".join(lines) + "\n"


def set_up_logs(config: ShepherdConfig) -> None:
    """Our own log goes to standard error, as JSON lines or as text."""
    last = (
        structlog.processors.JSONRenderer()
        if config.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    level = getattr(logging, config.log_level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _LogStream())),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s [%(levelname)s] %(name)s: %(message)s")


class _LogStream:
    """Standard error, except that a log line that can't be written, on a full disk, stops nothing."""

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text)
        except OSError:
            return 0

    def flush(self) -> None:
        # As in `write`: what runs is worth more than what is said of it.
        with contextlib.suppress(OSError):
            sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
