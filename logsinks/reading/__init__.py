"""Reading logs back: one interface over every sink, whole attempts or parts, while they grow or after."""

from logsinks.reading.following import follow_log
from logsinks.reading.merged import read_log
from logsinks.reading.query import LogLine, LogProgress, LogQuery, LogSource

__all__ = ["LogLine", "LogProgress", "LogQuery", "LogSource", "follow_log", "read_log"]
