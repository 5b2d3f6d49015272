"""Step: the variables of an attempt, made from nothing. What the shepherd's own environment holds stays with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from shepherd.attempts.attempt import Attempt
from shepherd.definitions import TaskDefinition
from shepherd.definitions.references import MissingReference, expand_environment
from shepherd.tiers.outcomes import Refused, refused
from shepherd.wire.payload import End


class EnvironmentMaker:
    """Makes environments. `secrets`: what tasks may name as `${secret:NAME}`."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)
        self._base = {
            "PATH": os.environ.get("PATH") or os.defpath,
            "LANG": os.environ.get("LANG") or "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
        }

    @classmethod
    def from_names(cls, names: tuple[str, ...]) -> EnvironmentMaker:
        """With the secrets that are in these variables of our own environment; those that aren't set are missing."""
        return cls({name: os.environ[name] for name in names if name in os.environ})

    def of_definition(self, definition: TaskDefinition, home: Path) -> dict[str, str]:
        """For a worker that runs attempts of this definition. Raises `Refused` where a reference is filled by nothing."""
        base = {**self._base, "HOME": str(home)}
        try:
            return {**base, **expand_environment(definition.environment, base, self._secrets)}
        except MissingReference as error:
            reference = error.reference
            hint = (
                f"name it in secrets_env of the shepherd, and set {reference.name} where the shepherd is started"
                if reference.secret
                else f"set {reference.name} above it in [Environment]"
            )
            raise Refused(refused("MissingReference", f"its environment can't be made: {error}; {hint}")) from error

    def of_attempt(self, attempt: Attempt, home: Path) -> dict[str, str]:
        """For a process that runs this attempt alone. Raises `Refused`."""
        task = attempt.assignment
        return {
            **self.of_definition(attempt.definition, home),
            "AZOLLA_TASK_ID": task.task_id,
            "AZOLLA_ATTEMPT": str(task.attempt),
            "AZOLLA_TASK_NAME": task.name,
            "AZOLLA_DOMAIN": task.domain,
            "AZOLLA_QUEUE": task.queue,
        }


class EnvironmentStep:
    """Nothing to undo."""

    name = "environment"

    def __init__(self, maker: EnvironmentMaker) -> None:
        self._maker = maker

    async def do(self, attempt: Attempt) -> End | None:
        if attempt.folder is None:
            raise ValueError("the work folder comes before the environment")
        try:
            attempt.environment = self._maker.of_attempt(attempt, attempt.folder / "work")
        except Refused as found:
            return found.end
        return None

    async def undo(self, attempt: Attempt, end: End) -> None:
        del attempt, end
