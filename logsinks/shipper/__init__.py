"""From the spool to the sinks, each at its own pace, exactly once whatever dies when."""

from logsinks.shipper.shipper import Shipper
from logsinks.shipper.stats import ShipperStats, SinkState, SinkStats

__all__ = ["Shipper", "ShipperStats", "SinkState", "SinkStats"]
