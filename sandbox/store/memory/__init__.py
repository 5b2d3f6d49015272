"""The event store as a double, for tests."""

from sandbox.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
