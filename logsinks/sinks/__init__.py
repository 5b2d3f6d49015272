"""Where logs go: one folder a sink."""
