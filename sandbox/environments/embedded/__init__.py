"""An environment of background processes: a supervisor that starts an orchestrator and a shepherd.

`supervisor`, and what it imports (`part`, `pid_files`, `record`), needs nothing but the standard library and stays small.
"""
