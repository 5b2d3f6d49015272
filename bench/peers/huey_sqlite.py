"""Huey with SQLite, durable (synchronous=FULL): `huey_sqlite.py CASE FOLDER SCALE`. Runs in the peers' environment."""

from __future__ import annotations

import json
import logging
import multiprocessing
import statistics
import subprocess
import sys
import time
from pathlib import Path

from huey import SqliteHuey

case, folder, scale = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
huey = SqliteHuey(filename=str(folder / "huey.db"), fsync=True, immediate=False)


@huey.task()
def noop(*_args: object, **_kwargs: object) -> bool:
    return True


def create_some(count: int) -> list[float]:
    durations = []
    for _ in range(count):
        start = time.perf_counter()
        noop("a customer", 12345, {"colour": "green", "sizes": [1, 2, 3]}, note="nothing of importance")
        durations.append(time.perf_counter() - start)
    return durations


def create_one() -> dict[str, float]:
    create_some(50)
    durations = create_some(int(2_000 * scale) or 200)
    return {"p50": statistics.median(durations), "rate": len(durations) / sum(durations)}


def create_ten() -> dict[str, float]:
    each = int(400 * scale) or 50
    with multiprocessing.get_context("fork").Pool(10) as pool:
        pool.map(create_some, [5] * 10, chunksize=1)
        began = time.perf_counter()
        pool.map(create_some, [each] * 10, chunksize=1)
        return {"rate": 10 * each / (time.perf_counter() - began)}


def with_consumer(measured):
    consumer = subprocess.Popen([sys.executable, __file__, "consume", str(folder), str(scale)])
    try:
        noop().get(blocking=True, timeout=30)
        return measured()
    finally:
        consumer.terminate()
        consumer.wait()


def end_to_end() -> dict[str, float]:
    count = int(4_000 * scale) or 400
    began = time.perf_counter()
    for _ in range(count):
        noop()
    while huey.storage.result_store_size() < count:
        time.sleep(0.005)
    return {"rate": count / (time.perf_counter() - began)}


def latency() -> dict[str, float]:
    durations = []
    for _ in range(int(60 * scale) or 10):
        start = time.perf_counter()
        result = noop()
        while result.get() is None:  # its own waiting looks every 100 ms only
            time.sleep(0.0005)
        durations.append(time.perf_counter() - start)
    return {"p50": statistics.median(durations)}


def consume() -> None:
    logging.disable(logging.CRITICAL)
    huey.create_consumer(workers=2, worker_type="thread", periodic=False).run()


if case == "consume":
    consume()
else:
    measures = {
        "create-one": create_one,
        "create-ten": create_ten,
        "create-batches": dict,  # it has no batches
        "end-to-end": lambda: with_consumer(end_to_end),
        "latency": lambda: with_consumer(latency),
    }
    print(json.dumps(measures[case]()))
