"""What is measured: a file a case, each with `measure(context) -> list[Row]`."""

from __future__ import annotations

from dataclasses import dataclass

from bench.peers.venv import Peers


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a case needs to know. `scale` is 1 for a full run, and smaller for a quick one."""

    scale: float
    peers: Peers

    def count(self, full: int, *, least: int = 1) -> int:
        """How many, at this scale."""
        return max(least, int(full * self.scale))
