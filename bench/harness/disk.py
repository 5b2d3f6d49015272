"""One in-place fdatasync: the least that durability can cost on this disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.harness.measure import Samples

_BLOCK = 4096


def in_place_fdatasync(folder: Path, count: int, pause_s: float) -> Samples:
    """Overwrite the same 4 KiB of a file that has its size already, and sync it, `count` times.

    `pause_s` between two of them: the pace of the calls that it is compared with. A disk, and a processor, that are
    never let go idle answer a third faster than they do in any use.
    """
    path = folder / "fdatasync.bin"
    block = os.urandom(_BLOCK)
    sync = getattr(os, "fdatasync", os.fsync)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, block, 0)
        os.fsync(descriptor)
        durations: list[float] = []
        began = time.perf_counter()
        for _ in range(count):
            time.sleep(pause_s)
            start = time.perf_counter()
            os.pwrite(descriptor, block, 0)
            sync(descriptor)
            durations.append(time.perf_counter() - start)
        return Samples(tuple(durations), time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
