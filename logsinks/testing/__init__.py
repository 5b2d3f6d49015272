"""For authors of sinks: a conformance suite, a sink in memory, and one that fails on demand."""

from logsinks.testing.conformance import SinkConformance
from logsinks.testing.faulty_sink import FaultySink
from logsinks.testing.memory_sink import MemorySink

__all__ = ["FaultySink", "MemorySink", "SinkConformance"]
