"""`python quickstart/tour`: the tour from start to end. ./quickstart/run makes what it needs and calls it."""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from environment import NotStartedError, Started, start
from modules import Module, find_modules, library, write_broken_module
from rich.console import Console
from screen import Screen
from summary import Summary, lines
from work import count_modules, pack, report

from sandbox.client import AsyncClient, TaskFailed
from sandbox.errors import SandboxError

OUT = Path(__file__).parents[1] / "out"


def main() -> int:
    """The exit status: 0, 1 if a task failed that should not have, else that of what could not be done."""
    options = _options()
    screen = Screen(Console(highlight=False))
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        broken = write_broken_module(options.out)
    except OSError as error:
        return _refuse(f"{options.out} can't be written", error.strerror or str(error), "./quickstart/run --out FOLDER")
    modules = find_modules(library())[: options.limit]
    if not modules:
        return _refuse("this Python has no standard library in source", str(library()), "PYTHON=… with another Python")
    screen.title("azolla-local: a census of this machine's Python standard library")
    try:
        began = time.monotonic()
        started = start(options.env)
        took = time.monotonic() - began
        # The broken one first, so that its retries happen while the others run.
        return asyncio.run(_tour(screen, started, took, [broken, *modules], options.out.resolve()))
    except NotStartedError as error:
        return error.code
    except SandboxError as error:
        return _refuse(error.what, error.why, error.hint) and error.exit_code
    except KeyboardInterrupt:
        print(
            "\nstopped looking; what was submitted goes on in the environment.\n"
            "  .venv/bin/azolla-local ls      # how far it is\n"
            "  .venv/bin/azolla-local down    # stop it; what it knows stays on disk",
            file=sys.stderr,
        )
        return 130


async def _tour(screen: Screen, started: Started, took: float, modules: Sequence[Module], out: Path) -> int:
    async with AsyncClient(env=started.name) as client:
        status = await client.status()
        how = "runs already" if started.already_ran else f"up in {took:.1f} s"
        screen.done("environment", f"{started.name}, {how}: an orchestrator and a shepherd, state on disk")
        version = platform.python_version()
        screen.done("modules", f"{len(modules) - 1} of Python {version}, and one that can't be parsed")
        counted = await count_modules(client, modules, screen)
        screen.done(
            "census", f"a task for each, in warm Python workers: {counted.seconds:.1f} s, {counted.rate:.0f} tasks/s"
        )
        phase = "archive"
        try:
            archive = await pack(client, counted, out)
            screen.done("archive", "packed by a task that is a shell script")
            phase = "report"
            await report(client, counted, out)
            screen.done("report", "reduced by one more task to a page, a table and a plot")
        except TaskFailed as failed:
            screen.went_wrong(phase, str(failed))
            print(f"  try: {started.command(f'logs {failed.ended.task_id}')}", file=sys.stderr)
            return 1
    screen.console.print()
    summary = Summary(
        tasks=counted.tasks + 2,
        succeeded=len(counted.results) + 2,
        retries=counted.retries,
        seconds=counted.seconds,
        rate=counted.rate,
        report=out / "report.html",
        archive=Path(archive["archive"]),
        archive_bytes=archive["bytes"],
        logs=started.logs,
        database=Path(status["database"]["path"]),
        broken=counted.broken,
        web=started.url,
    )
    for line in lines(summary, started.command, again=_again()):
        screen.console.print(line, soft_wrap=True, markup=False, style="dim" if line.startswith("  # ") else None)
    for failure in counted.unexpected:
        screen.went_wrong("unexpected", f"{failure['module']}: {failure['error']} ({failure['task_id']})")
    return 1 if counted.unexpected else 0


def _refuse(what: str, why: str, hint: str) -> int:
    print(f"error: {what}", file=sys.stderr)
    if why:
        print(f"  because {why}", file=sys.stderr)
    if hint:
        print(f"  try: {hint}", file=sys.stderr)
    return 2


def _again() -> str:
    script = Path(__file__).parents[1] / "run"
    try:
        return f"./{script.relative_to(Path.cwd())}"
    except ValueError:
        return str(script)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="quickstart/run",
        description="Start azolla-local, and have it take a census of this machine's Python standard library.",
    )
    parser.add_argument("--env", metavar="NAME", help="the environment to use (default: default)")
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help="where the report goes (quickstart/out)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N modules")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
