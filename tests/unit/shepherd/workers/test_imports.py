"""What a worker imports is what each attempt pays for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SLOW = (
    "re",
    "enum",
    "json",
    "typing",
    "inspect",
    "asyncio",
    "logging",
    "dataclasses",
    "importlib.util",
    "traceback",
    "pathlib",
)
FOREIGN = ("grpc", "pydantic", "httpx", "orjson", "structlog", "google")


def imported_by(statement: str) -> set[str]:
    line = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-P", "-c", line], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import shepherd.workers.one_attempt, shepherd.workers.executable",
        "import shepherd.workers.one_python_attempt",
        "from sandbox import task, Context, Retry",
        "import shepherd.definitions",
    ],
)
def test_a_worker_and_its_tasks_start_lean(statement: str) -> None:
    assert not imported_by(statement) & {*SLOW, *FOREIGN}


def test_a_warm_worker_needs_no_foreign_package() -> None:
    found = imported_by("import shepherd.workers.resident_main, shepherd.workers.resident_async")
    assert not found & {*FOREIGN, "shepherd.wire"}
    assert not {name for name in found if name.startswith("logsinks")}


def test_the_channel_format_is_the_catchers() -> None:
    from logsinks.capture import channel as reader
    from shepherd.workers import channel as writer

    assert reader.FRAME.format == writer.HEADER.format
    assert (reader.BEGIN, reader.OUT, reader.ERR, reader.END) == (
        writer.BEGIN,
        writer.STDOUT,
        writer.STDERR,
        writer.END,
    )
    assert reader.MAX_PAYLOAD == writer.MAX_PAYLOAD
