"""The settings of a shepherd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shepherd.config import BadConfig, load_config


def written(folder: Path, **settings: Any) -> Path:
    file = folder / "shepherd.json"
    file.write_text(json.dumps({"state": str(folder / "state"), **settings}))
    return file


def test_the_state_folder_is_all_that_must_be_given(tmp_path: Path) -> None:
    config = load_config(written(tmp_path))
    assert config.all_domains
    assert config.isolation == "process"
    assert config.window_size >= config.max_concurrency >= 4


def test_a_window_that_is_given_counts(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, window=7)).window_size == 7


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load_config(written(tmp_path, colour="blue", max_concurrency=0, orchestrator="nowhere", domains=["a", "b"]))
    for key in ("colour", "max_concurrency", "orchestrator", "domains"):
        assert key in caught.value.why
    assert caught.value.exit_code == 2


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shepherd.json"
    file.write_text("{")
    with pytest.raises(BadConfig, match="mistakes"):
        load_config(file)


def test_a_file_that_isnt_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load_config(tmp_path / "none.json")
    assert caught.value.subject == str(tmp_path / "none.json")
