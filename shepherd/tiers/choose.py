"""Which tier an attempt gets: the one its task asks for, else the shepherd's. Never a weaker one in silence."""

from __future__ import annotations

import difflib
import grp
import os
import pwd
from collections.abc import Iterable, Mapping

import structlog

from shepherd.definitions import DefinitionKind, TaskDefinition
from shepherd.definitions.definition import Isolation, Network
from shepherd.errors import TierUnavailable
from shepherd.tiers.contract import IsolationTier

_log = structlog.get_logger(__name__)

_NOT_BUILT = "this version of azolla-local has no such tier"


class TierChooser:
    """Knows the tiers of this host."""

    def __init__(self, tiers: Mapping[str, IsolationTier], default: str) -> None:
        self._tiers = dict(tiers)
        self._default = default
        self._chosen: dict[int, tuple[TaskDefinition, IsolationTier]] = {}
        """By identity of the definition, which is kept, so no id comes twice."""

    def check_default(self) -> None:
        """Raises :class:`TierUnavailable` if the shepherd's own choice can't be had."""
        self._tier(self._default)

    def choose(self, definition: TaskDefinition) -> IsolationTier:
        """The tier for attempts of this task. Raises :class:`TierUnavailable`."""
        known = self._chosen.get(id(definition))
        if known is not None:
            return known[1]
        tier = self._choose(definition)
        self._chosen[id(definition)] = (definition, tier)
        return tier

    def tiers(self) -> Iterable[IsolationTier]:
        """All that this host has."""
        return self._tiers.values()

    def forget(self) -> None:
        """Definitions have changed."""
        self._chosen.clear()

    def _choose(self, definition: TaskDefinition) -> IsolationTier:
        service = definition.service
        wanted = service.isolation
        if wanted is None:
            wanted = self._default
            if wanted == Isolation.RESIDENT and definition.kind is DefinitionKind.EXECUTABLE:
                wanted = Isolation.PROCESS
        tier = self._tier(wanted)
        if wanted == Isolation.RESIDENT and definition.kind is DefinitionKind.EXECUTABLE:
            raise self._refuse(
                wanted, "a warm worker runs Python functions, and this is a command", "Isolation=process"
            )
        if service.user is not None and service.user != _user():
            raise self._refuse(
                wanted,
                f"User={service.user} asks for another user than the shepherd's ({_user()}), and this tier can't change it",
                f"remove User=, or run the shepherd as {service.user}",
            )
        if service.group is not None and service.group != _group():
            raise self._refuse(
                wanted,
                f"Group={service.group} asks for another group than the shepherd's ({_group()}), and this tier can't change it",
                f"remove Group=, or run the shepherd with group {service.group}",
            )
        if service.network == Network.NONE:
            raise self._refuse(wanted, "Network=none asks for walls that this tier doesn't have", "remove Network=none")
        unheld = [
            name
            for name, value in (
                ("LimitDisk", service.limit_disk),
                ("LimitCPU", service.limit_cpu),
                ("LimitPids", service.limit_pids),
            )
            if value is not None
        ]
        if unheld:
            _log.warning("limits are not held at this tier", task=definition.name, isolation=wanted, limits=unheld)
        return tier

    def _tier(self, wanted: str) -> IsolationTier:
        tier = self._tiers.get(wanted)
        if tier is None:
            if wanted in Isolation.__members__.values():
                raise self._refuse(wanted, _NOT_BUILT, f"write Isolation={' or '.join(self._tiers)}")
            near = difflib.get_close_matches(wanted, list(Isolation), 1)
            hint = f"did you mean {near[0]}?" if near else f"write Isolation={' or '.join(self._tiers)}"
            raise self._refuse(wanted, "no tier has this name", hint)
        ability = tier.able()
        if not ability.able:
            raise self._refuse(wanted, ability.missing, ability.hint)
        return tier

    def _refuse(self, wanted: str, missing: str, hint: str) -> TierUnavailable:
        return TierUnavailable(wanted, missing=missing, hint=hint, remaining=tuple(self._tiers))


def _group() -> str:
    gid = os.getegid()
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user() -> str:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
