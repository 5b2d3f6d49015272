"""What becomes of the attempts in a warm worker that died.

A worker that dies costs the attempts that ran in it; those that had not started go to another one. One after another,
the first is the one that ran, if the worker said so or held no other. Otherwise nobody knows how far it got, because
answers travel in bundles: all in it end as lost, and the pool goes one by one for a while, so that a second crash finds
the culprit alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shepherd.tiers.child import Exit
from shepherd.tiers.contract import Order
from shepherd.tiers.outcomes import stopped, worker_died
from shepherd.tiers.resident.worker import ResidentWorker
from shepherd.wire.payload import End, Log, Outcome

_UNKNOWN = "its worker died, and nobody knows which of the attempts in it had run"
_NEIGHBOUR = "its worker was ended because of another attempt in it"


@dataclass(slots=True)
class Settlement:
    """Ends to be told, and orders to be given to another worker, in their order."""

    ends: list[tuple[Order, End]] = field(default_factory=list[tuple[Order, End]])
    again: list[Order] = field(default_factory=list[Order])


def settle(worker: ResidentWorker, ended: Exit, isolation: str, *, ended_ms: int, left_behind: str) -> Settlement:
    """Decide for every attempt that is in the worker."""
    settlement = Settlement()
    unstarted, known = _sort_out(worker)
    for order in worker.held.values():
        if order.stop is not None:
            end = stopped(order.stop, order.stop_reason, isolation)
            end.exit_code, end.signal = ended.code, ended.signal
        elif order in unstarted:
            settlement.again.append(order)
            continue
        elif worker.killed or not known:
            end = stopped(Outcome.LOST, _NEIGHBOUR if worker.killed else _UNKNOWN, isolation)
            end.error_type = "WorkerDied"
        else:
            end = worker_died(ended, isolation)
        end.ended_ms = ended_ms
        end.left_behind = left_behind
        end.log = Log.CUT
        settlement.ends.append((order, end))
    return settlement


def _sort_out(worker: ResidentWorker) -> tuple[set[Order], bool]:
    """Which attempts can't have run when the worker ended, and whether the others certainly did."""
    if not worker.one_by_one:
        return set(), True
    held = list(worker.held.values())
    if len(held) <= 1 or worker.killed or worker.known_running is held[0]:
        return set(held[1:]), True
    return set(), False
