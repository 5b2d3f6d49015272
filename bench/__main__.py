"""`python -m bench`: the cases that are asked for, then one table."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from bench.cases import Context
from bench.harness.table import Row, machine, show
from bench.peers.venv import Peers

CASES = {
    "startup": "up to first result",
    "creation": "durable creation: one client, ten clients, batches; beside a bare gRPC echo and one fdatasync",
    "latency": "one task at a time on an idle environment",
    "throughput": "whole lives of no-op tasks with a batching client",
    "stress": "a thousand tasks that fail and are retried, ten clients",
    "queued": "memory a queued task, and restart with a large backlog",
}
NOTES = (
    "bare: a gRPC echo of the same messages, plus one in-place fdatasync for single creation; measured in turn with us.",
    "10 clients: 10 connections in 2 processes, one call at a time on each; the peers': 10 processes.",
    "All durable: SQLite with synchronous=FULL (us, Huey), Redis with appendfsync always (RQ).",
    "Clients, servers and workers share the machine.",
)


def main() -> int:
    """Measure and print. Exit status 0 also where a bar is missed: a benchmark reports, it doesn't judge."""
    options = _options()
    peers = Peers(wanted=not options.no_peers, scale=options.scale)
    context = Context(scale=options.scale, peers=peers)
    rows: list[Row] = []
    for name in options.cases or list(CASES):
        began = time.monotonic()
        print(f"measuring {name}: {CASES[name]}", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench.cases.{name}").measure(context)
        print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    show(rows, peers.names, [*NOTES, *peers.notes])
    if options.json:
        figures = {
            row.what: row.numbers | {"met": row.verdict.bar.met(row.verdict.value)} if row.verdict else row.numbers
            for row in rows
        }
        options.json.write_text(json.dumps({"machine": machine(), "figures": figures}, indent=2) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measure azolla-local on this machine, beside its peers.",
        epilog="cases:\n" + "\n".join(f"  {name:<11} {what}" for name, what in CASES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", choices=[*CASES, []], help="only these (default: all)")
    parser.add_argument(
        "--quick", dest="scale", action="store_const", const=0.1, default=1.0, help="a tenth of the work"
    )
    parser.add_argument("--no-peers", action="store_true", help="azolla-local and the bare echo only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
