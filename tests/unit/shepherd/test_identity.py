"""A lasting id, and an epoch that grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from shepherd.identity import StateFolder, StateInUse, StateUnusable


def opened(folder: Path) -> tuple[str, int]:
    state = StateFolder(folder)
    identity = state.open()
    state.close()
    return identity.shepherd_id, identity.epoch


def test_the_id_lasts_and_the_epoch_grows(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "state"), opened(tmp_path / "state")
    assert first[0] == second[0]
    assert (first[1], second[1]) == (1, 2)


def test_two_folders_two_ids(tmp_path: Path) -> None:
    assert opened(tmp_path / "a")[0] != opened(tmp_path / "b")[0]


def test_a_folder_in_use_names_its_user(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.open()
    with pytest.raises(StateInUse, match="locked by process") as caught:
        StateFolder(tmp_path).open()
    assert caught.value.exit_code == 5
    state.close()
    assert opened(tmp_path)[1] == 2


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"shepherd_id": "x", "epoch": 1}', '{"shepherd_id": 5, "epoch": 1}']
)
def test_what_is_no_identity_is_not_replaced_in_silence(tmp_path: Path, content: str) -> None:
    (tmp_path / "identity.json").write_text(content)
    with pytest.raises(StateUnusable) as caught:
        opened(tmp_path)
    assert "remove it" in caught.value.hint
    (tmp_path / "identity.json").unlink()
    assert opened(tmp_path)[1] == 1


def test_a_folder_that_cant_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable) as caught:
        opened(tmp_path / "file" / "state")
    assert caught.value.exit_code == 7
