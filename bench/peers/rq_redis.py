"""RQ with Redis: `rq_redis.py CASE FOLDER SCALE ADDRESS`. Runs in the peers' environment."""

from __future__ import annotations

import json
import multiprocessing
import statistics
import subprocess
import sys
import time

from redis import Redis
from rq import Queue
from rq_noop import noop

case, scale, address = sys.argv[1], float(sys.argv[3]), sys.argv[4]
INPUT = (("a customer", 12345, {"colour": "green", "sizes": [1, 2, 3]}), {"note": "nothing of importance"})


def queue() -> Queue:
    return Queue(connection=Redis.from_url(address))


def create_some(count: int) -> list[float]:
    mine = queue()
    durations = []
    for _ in range(count):
        start = time.perf_counter()
        mine.enqueue(noop, args=INPUT[0], kwargs=INPUT[1])
        durations.append(time.perf_counter() - start)
    return durations


def create_one() -> dict[str, float]:
    create_some(50)
    durations = create_some(int(1_500 * scale) or 150)
    return {"p50": statistics.median(durations), "rate": len(durations) / sum(durations)}


def create_ten() -> dict[str, float]:
    each = int(300 * scale) or 50
    with multiprocessing.get_context("fork").Pool(10) as pool:
        pool.map(create_some, [5] * 10, chunksize=1)
        began = time.perf_counter()
        pool.map(create_some, [each] * 10, chunksize=1)
        return {"rate": 10 * each / (time.perf_counter() - began)}


def create_batches() -> dict[str, float]:
    mine = queue()
    batches = int(10 * scale) or 3
    began = time.perf_counter()
    for _ in range(batches):
        mine.enqueue_many([Queue.prepare_data(noop, args=INPUT[0], kwargs=INPUT[1]) for _ in range(1_000)])
    return {"rate": batches * 1_000 / (time.perf_counter() - began)}


def with_workers(measured):
    workers = [
        subprocess.Popen([sys.executable, "-m", "rq.cli", "worker", "--url", address, "--quiet"]) for _ in range(2)
    ]
    try:
        queue().enqueue(noop).latest_result(timeout=60)
        return measured()
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def end_to_end() -> dict[str, float]:
    mine = queue()
    count = int(600 * scale) or 60
    before = mine.finished_job_registry.count
    began = time.perf_counter()
    mine.enqueue_many([Queue.prepare_data(noop) for _ in range(count)])
    while mine.finished_job_registry.count - before < count:
        time.sleep(0.005)
    return {"rate": count / (time.perf_counter() - began)}


def latency() -> dict[str, float]:
    mine = queue()
    durations = []
    for _ in range(int(60 * scale) or 10):
        start = time.perf_counter()
        mine.enqueue(noop).latest_result(timeout=30)
        durations.append(time.perf_counter() - start)
    return {"p50": statistics.median(durations)}


measures = {
    "create-one": create_one,
    "create-ten": create_ten,
    "create-batches": create_batches,
    "end-to-end": lambda: with_workers(end_to_end),
    "latency": lambda: with_workers(latency),
}
print(json.dumps(measures[case]()))
