"""A Redis of the benchmark's own that keeps what it acknowledges: append-only file, synced at each write."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DURABLE = ("--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no")


class RedisMissingError(Exception):
    """There is no Redis, and why it could not be had."""


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The address of a running server with its data in `folder`."""
    program = _program()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), *_DURABLE],
        stdout=subprocess.DEVNULL,
    )
    try:
        _until_it_answers(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _program() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RedisMissingError(
            "no redis-server here; install it (Debian: apt-get install redis-server) to see it beside us"
        )
    print("peers: installing redis-server from the system's packages", file=sys.stderr)
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # it is not to start by itself
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"]
    done = subprocess.run(install, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        subprocess.run(["apt-get", "update", "-qq"], env=variables, capture_output=True, check=False)
        done = subprocess.run(install, env=variables, capture_output=True, text=True, check=False)
    found = shutil.which("redis-server")
    if found is None:
        last = (done.stderr.strip().splitlines() or ["apt-get gave no reason"])[-1]
        raise RedisMissingError(f"redis-server could not be installed: {last}")
    return found


def _until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RedisMissingError(f"redis-server ended with {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RedisMissingError("redis-server did not answer within 10 s")
