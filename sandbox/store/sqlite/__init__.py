"""The event store on SQLite."""

from sandbox.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
