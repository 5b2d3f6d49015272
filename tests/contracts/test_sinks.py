"""Every sink keeps the contract: ours, the doubles, and a sink whose answers get lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from logsinks.contract import Sink
from logsinks.registry import open_sink
from logsinks.testing import FaultySink, MemorySink, SinkConformance


class TestMemorySink(SinkConformance):
    @pytest.fixture(autouse=True)
    def destination(self) -> None:
        self.logs = MemorySink().logs

    def make(self) -> Sink:
        sink = MemorySink()
        sink.logs = self.logs
        return sink


class TestLocalSink(SinkConformance):
    @pytest.fixture(autouse=True)
    def destination(self, tmp_path: Path) -> None:
        self.root = tmp_path / "logs"

    def make(self) -> Sink:
        return open_sink(f"file://{self.root}", "local")


class TestLocalSinkWithFlatNames(TestLocalSink):
    def make(self) -> Sink:
        return open_sink(f"file://{self.root}?template={{attempt_id}}", "local")


class TestFaultySinkWithoutFaults(TestMemorySink):
    def make(self) -> Sink:
        return FaultySink(super().make(), lambda _: None)
