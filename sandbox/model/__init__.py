"""The words of the orchestrator: ids, statuses, events, policies. Values only; no I/O."""
