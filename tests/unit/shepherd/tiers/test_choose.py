"""Which tier a task gets."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from shepherd.definitions import DefinitionKind, ServiceSettings, TaskDefinition
from shepherd.errors import TierUnavailable
from shepherd.tiers.choose import TierChooser
from shepherd.tiers.contract import Ability


class Tier:
    fresh = True

    def __init__(self, name: str, *, able: bool = True) -> None:
        self.name = name
        self._able = able

    def able(self) -> Ability:
        return Ability(able=self._able, missing="" if self._able else "no kernel for it", hint="get one")


def chooser(default: str = "process", *, able: bool = True) -> TierChooser:
    tiers: Any = {"process": Tier("process"), "resident": Tier("resident", able=able)}
    return TierChooser(tiers, default)


def definition(kind: DefinitionKind = DefinitionKind.PYTHON, **service: Any) -> TaskDefinition:
    return TaskDefinition(name="n", kind=kind, source=Path("n.py"), service=ServiceSettings(**service))


def test_who_asks_for_nothing_gets_the_shepherds_own() -> None:
    assert chooser().choose(definition()).name == "process"
    assert chooser("resident").choose(definition()).name == "resident"


def test_a_command_that_asks_for_nothing_gets_a_process() -> None:
    assert chooser("resident").choose(definition(DefinitionKind.EXECUTABLE)).name == "process"


def test_what_is_asked_for_is_given() -> None:
    assert chooser().choose(definition(isolation="resident")).name == "resident"


@pytest.mark.parametrize("name", ["jail", "fork", "container"])
def test_a_tier_that_isnt_built_is_refused_and_not_weakened(name: str) -> None:
    with pytest.raises(TierUnavailable) as caught:
        chooser().choose(definition(isolation=name))
    assert caught.value.tier == name
    assert caught.value.remaining == ("process", "resident")
    assert "Isolation=process" in caught.value.hint


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(TierUnavailable) as caught:
        chooser().choose(definition(isolation="proces"))
    assert caught.value.hint == "did you mean process?"


def test_a_command_cant_be_resident() -> None:
    with pytest.raises(TierUnavailable, match="command"):
        chooser().choose(definition(DefinitionKind.EXECUTABLE, isolation="resident"))


def test_a_tier_that_this_host_cant_give_says_what_is_missing() -> None:
    with pytest.raises(TierUnavailable) as caught:
        chooser(able=False).choose(definition(isolation="resident"))
    assert (caught.value.missing, caught.value.hint) == ("no kernel for it", "get one")


def test_the_shepherds_own_user_is_no_demand() -> None:
    assert chooser().choose(definition(user=getpass.getuser())).name == "process"


@pytest.mark.parametrize("service", [{"user": "somebody-else"}, {"group": "some-group"}, {"network": "none"}])
def test_walls_that_a_tier_doesnt_have_are_refused(service: dict[str, str]) -> None:
    with pytest.raises(TierUnavailable):
        chooser().choose(definition(**service))


def test_a_default_that_cant_be_had_is_told_at_the_start() -> None:
    with pytest.raises(TierUnavailable):
        chooser("jail").check_default()
