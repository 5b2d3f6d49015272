"""Answers of the double: the same as SQLite's, by plain loops."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from sandbox.errors import BadFilter, NotSupported, StoreError
from sandbox.model.status import TaskStatus
from sandbox.model.task import EndedTask
from sandbox.store.contract import EventRecord, LogRecord, Page, ShepherdRecord, SqlAnswer, TaskFilter, TaskRecord
from sandbox.store.memory.tables import Tables

_CURSOR_MARK = "before:"


class MemoryReader:
    """A :class:`sandbox.store.contract.TaskReader`; `sql` is not supported."""

    def __init__(self, tables: Tables) -> None:
        self._of = tables
        self._closed = False

    @property
    def _tables(self) -> Tables:
        if self._closed:
            raise StoreError("the store is closed")
        return self._of

    async def task(self, task_id: str) -> TaskRecord | None:
        return self._tables.tasks.get(task_id)

    async def ended(self, task_id: str) -> EndedTask | None:
        record = self._tables.tasks.get(task_id)
        if record is None or not record.status.ended:
            return None
        return EndedTask(
            task_id=task_id,
            domain=record.domain,
            status=record.status,
            attempt=record.attempt,
            ended_ms=record.ended_ms,
            result=record.result,
            error_type=record.error_type,
            error_message=record.error_message,
            error_data=record.error_data or "{}",
            retriable=record.retriable,
        )

    async def ids_with_prefix(self, prefix: str, limit: int) -> list[str]:
        return sorted(task_id for task_id in self._tables.tasks if task_id.startswith(prefix))[:limit]

    async def tasks(self, which: TaskFilter, after: str | None = None, limit: int = 100) -> Page[TaskRecord]:
        records = list(self._tables.tasks.values())
        end = len(records) if after is None else _read_cursor(after)
        found = [(at, records[at]) for at in range(end - 1, -1, -1) if _matches(records[at], which)]
        page = found[:limit]
        return Page(
            [record for _, record in page],
            f"{_CURSOR_MARK}{page[-1][0]}" if len(found) > limit and page else None,
        )

    async def events(self, task_id: str) -> list[EventRecord]:
        return [event for event in self._tables.events if event.task_id == task_id]

    async def events_after(self, seq: int, limit: int, domain: str | None = None) -> list[EventRecord]:
        return [event for event in self._tables.events[seq:] if domain is None or event.domain == domain][:limit]

    async def last_seq(self) -> int:
        return len(self._tables.events)

    async def logs(self, task_id: str) -> list[LogRecord]:
        return self._tables.logs_of(task_id)

    async def shepherds(self) -> list[ShepherdRecord]:
        return [record for _, record in sorted(self._tables.shepherds.items())]

    async def counts(self, domain: str | None = None) -> dict[TaskStatus, int]:
        return dict(
            Counter(
                record.status for record in self._tables.tasks.values() if domain is None or record.domain == domain
            )
        )

    async def sql(self, statement: str, *, limit: int = 1000, seconds: float = 5.0) -> SqlAnswer:
        raise NotSupported(
            "the double of the store reads no SQL", subject=statement, why=f"not {limit} rows in {seconds} s"
        )

    def close(self) -> None:
        self._closed = True


def _matches(record: TaskRecord, which: TaskFilter) -> bool:
    return (
        (which.domain is None or record.domain == which.domain)
        and (which.queue is None or record.queue == which.queue)
        and (not which.statuses or record.status in which.statuses)
        and (which.name is None or fnmatchcase(record.name, which.name.replace("[^", "[!")))
        and all(record.labels.get(key) == value for key, value in which.labels.items())
        and (which.created_from_ms is None or record.created_ms >= which.created_from_ms)
        and (which.created_before_ms is None or record.created_ms < which.created_before_ms)
    )


def _read_cursor(text: str) -> int:
    number = text.removeprefix(_CURSOR_MARK)
    if number == text or not number.isdecimal():
        raise BadFilter("this is no cursor of a page of tasks", subject=text)
    return int(number)
