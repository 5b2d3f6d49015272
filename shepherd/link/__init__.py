"""The link to the orchestrator."""
