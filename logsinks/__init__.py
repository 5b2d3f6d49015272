"""Logs of tasks: captured outside the task, spooled on disk, shipped to sinks, read back from any of them.

The way of a line: `capture` (a small process moves it from the task's pipe to the `spool`), `shipper` (from the
spool to each sink, at the sink's own pace), `sinks` (where it stays), `reading` (back to people). A library of
its own: it knows attempts by their identity, and nothing of who runs them. Import from the modules; this file
stays empty, because the capturing process must start fast.
"""
