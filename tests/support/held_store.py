"""The memory store, which a test holds back and lets refuse, with the faults that a disk has beside that."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from sandbox.errors import StoreError, StoreFull
from sandbox.model.task import Task
from sandbox.store.contract import WriteGroup
from sandbox.store.memory import MemoryStore
from sandbox.store.memory.store import Done
from sandbox.store.memory.tables import Tables


class HeldStore(MemoryStore):
    """Holding back is `hold` and `release`; `refuse` fails a commit; the rest fails once where it is set."""

    def __init__(self, tables: Tables | None = None) -> None:
        super().__init__(tables)
        self.groups: list[WriteGroup] = []
        """Every group as it was when it was handed over, refused ones included."""
        self.write_raises: StoreError | None = None
        self.load_raises: StoreError | None = None
        self.add_domain_raises: StoreError | None = None

    def refuse(self, error: StoreError | None = None) -> None:
        """What is held, and if nothing is, the next write, is refused."""
        self.fail_next(error or StoreFull("the disk is full", subject="azolla.db", hint="make room"))
        self.release()

    def write(self, group: WriteGroup, done: Done) -> None:
        error, self.write_raises = self.write_raises, None
        if error is not None:
            raise error
        self.groups.append(
            WriteGroup(
                events=list(group.events),
                created=[copy.copy(task) for task in group.created],
                changed=[copy.copy(task) for task in group.changed],
                ended=list(group.ended),
            )
        )
        super().write(group, done)

    def load_unfinished(self) -> Iterator[Task]:
        error, self.load_raises = self.load_raises, None
        if error is not None:
            raise error
        return super().load_unfinished()

    def add_domain(self, name: str) -> int:
        error, self.add_domain_raises = self.add_domain_raises, None
        if error is not None:
            raise error
        return super().add_domain(name)
