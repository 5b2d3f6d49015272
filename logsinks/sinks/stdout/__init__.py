"""Logs on our own standard output, for agents that collect it; best effort."""
