"""Create tasks: known names and domains, idempotency keys, whole batches or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sandbox.dispatch.shepherds import Shepherds
from sandbox.errors import IdempotencyConflict, InvalidInput, UnknownDomain
from sandbox.model.task import NewTask, Task
from sandbox.scheduler.engine import Engine
from sandbox.service import admission
from sandbox.service.definitions import Definitions
from sandbox.store.contract import TaskReader, TaskRecord

MAX_BATCH = 10_000


class Creation:
    """Takes new tasks in, or the ones that were created with the same idempotency key before."""

    def __init__(
        self,
        engine: Engine,
        reader: TaskReader,
        shepherds: Shepherds,
        definitions: Definitions,
        configured_domains: Collection[str],
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._shepherds = shepherds
        self._definitions = definitions
        self._configured_domains = frozenset(configured_domains)

    async def create(self, new: NewTask, *, checked_name: bool) -> str:
        """The id of the new task, or of the one that was created with the same idempotency key before.

        `checked_name`: refuse names and domains that nobody here knows (our own doors do; Azolla's clients
        may create tasks before the shepherd that knows them is there).
        """
        admission.check(new)
        if checked_name:
            self._check_known(new)
        if new.idempotency_key is not None:
            before = self._engine.taskset.by_key.get((new.domain, new.idempotency_key))
            if before is not None:
                return await self._same(new, before)
        task = self._engine.create(new)
        await self._engine.durable()
        return task.task_id

    async def create_many(self, news: Sequence[NewTask], *, checked_name: bool) -> list[str]:
        """Ids in the order of `news`. All are created in one commit, or none."""
        if len(news) > MAX_BATCH:
            raise InvalidInput(
                "Too many tasks at once", subject=f"{len(news)}", hint=f"send at most {MAX_BATCH:,} a batch"
            )
        known: set[tuple[str, str]] = set()
        for index, new in enumerate(news):
            try:
                admission.check(new)
                if checked_name and (new.domain, new.name) not in known:
                    self._check_known(new)
                    known.add((new.domain, new.name))
            except InvalidInput as error:
                error.subject = f"tasks[{index}]" + (f": {error.subject}" if error.subject else "")
                raise
        await self._check_keys(news)
        # From here on nothing may fail: what is in the group would be created without the rest.
        for domain in {new.domain for new in news}:
            self._engine.domain_number(domain)
        create, by_key = self._engine.create, self._engine.taskset.by_key
        ids: list[str] = []
        for new in news:
            key = new.idempotency_key
            before = by_key.get((new.domain, key)) if key is not None else None
            ids.append(create(new).task_id if before is None else before)
        await self._engine.durable()
        return ids

    async def _check_keys(self, news: Sequence[NewTask]) -> None:
        """IdempotencyConflict if a key is used for two things, within `news` or before."""
        keyed: dict[tuple[str, str], NewTask] = {}
        for new in news:
            if new.idempotency_key is not None:
                first = keyed.setdefault((new.domain, new.idempotency_key), new)
                if _input(first) != _input(new):
                    raise _conflict(new, "another task of the same batch has it, with another name or input")
        checked: set[str] = set()
        while True:
            by_key = self._engine.taskset.by_key
            # Others create too while this one looks on disk, so look until there is nothing new.
            used = {key: by_key[key] for key in keyed if key in by_key and by_key[key] not in checked}
            if not used:
                return
            for key, task_id in used.items():
                await self._same(keyed[key], task_id)
                checked.add(task_id)

    async def _same(self, new: NewTask, task_id: str) -> str:
        """The idempotency key was used before: fine, if for the same thing."""
        await self._engine.durable()
        task = self._engine.taskset.get(task_id) or await self._reader.task(task_id)
        if task is not None and _input(task) != _input(new):
            raise _conflict(new, f"{task_id} was created with it, with another name or input")
        return task_id

    def _check_known(self, new: NewTask) -> None:
        if new.domain not in self._configured_domains and new.domain not in self._engine.domains():
            known = ", ".join(sorted({*self._configured_domains, *self._engine.domains()}))
            raise UnknownDomain(
                "No domain has that name",
                subject=new.domain,
                why=f"known here: {known}",
                hint=f"add [domains.{new.domain}] to azolla.toml, then `azolla-local up --restart`",
            )
        admission.check_name(
            new.name, self._shepherds.offered(), self._definitions.names, lambda: self._definitions.views()[1]
        )


def _input(task: NewTask | Task | TaskRecord) -> tuple[str, str, str]:
    return task.name, task.args, task.kwargs


def _conflict(new: NewTask, why: str) -> IdempotencyConflict:
    return IdempotencyConflict(
        "The idempotency key belongs to another task",
        subject=new.idempotency_key or "",
        why=why,
        hint="use a new key for a new task",
    )
