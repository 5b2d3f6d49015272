"""What a task name means: task files, Python tasks, and the catalog of both.

Names are resolved on first use: a worker that needs one of them shouldn't pay for all.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shepherd.definitions.catalog import Catalog
    from shepherd.definitions.context import Context
    from shepherd.definitions.definition import (
        Check,
        Definition,
        DefinitionKind,
        Isolation,
        ServiceSettings,
        TaskDefinition,
    )
    from shepherd.definitions.python_tasks import Retry, task
    from shepherd.definitions.task_file_problems import Problem
    from shepherd.definitions.validation import validate_paths

__all__ = [
    "Catalog",
    "Check",
    "Context",
    "Definition",
    "DefinitionKind",
    "Isolation",
    "Problem",
    "Retry",
    "ServiceSettings",
    "TaskDefinition",
    "task",
    "validate_paths",
]

_HOMES = {
    "Catalog": "catalog",
    "Check": "definition",
    "Context": "context",
    "Definition": "definition",
    "DefinitionKind": "definition",
    "Isolation": "definition",
    "Problem": "task_file_problems",
    "Retry": "python_tasks",
    "ServiceSettings": "definition",
    "TaskDefinition": "definition",
    "task": "python_tasks",
    "validate_paths": "validation",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # A from-list makes __import__ return the module itself; importlib would cost a worker another import.
    value = getattr(__import__(f"{__name__}.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value
