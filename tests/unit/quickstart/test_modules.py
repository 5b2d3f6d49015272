from __future__ import annotations

import ast
from pathlib import Path

import pytest
from modules import BROKEN_NAME, find_modules, library, write_broken_module


def test_names_follow_the_folders(tmp_path: Path) -> None:
    for name in ("single.py", "pack/__init__.py", "pack/inner.py", "pack/deep/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("test/broken.py", "pack/tests/t.py", "site-packages/p.py", "config-3/x.py", "data.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [module.name for module in find_modules(tmp_path)] == ["pack", "pack.deep", "pack.inner", "single"]


def test_the_real_library_has_hundreds() -> None:
    modules = {module.name: module.path for module in find_modules(library())}
    assert len(modules) > 300
    assert modules["json.decoder"].name == "decoder.py"
    assert not any(name.startswith("test.") for name in modules)


def test_broken_module_is_broken(tmp_path: Path) -> None:
    module = write_broken_module(tmp_path)
    assert module.name == BROKEN_NAME
    with pytest.raises(SyntaxError):
        ast.parse(module.path.read_text())


def test_writing_it_again_is_fine(tmp_path: Path) -> None:
    assert write_broken_module(tmp_path) == write_broken_module(tmp_path)
