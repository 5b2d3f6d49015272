"""The script that makes .venv, on machines that lack something: what it says, and that it leaves nothing half done."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import ROOT

NEEDED = ("bash", "cat", "cksum", "mkdir", "dirname")
OLD = """#!/bin/sh
case "$*" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac
"""
WITHOUT_VENV = """#!/bin/sh
case "$*" in
  -V) echo Python 3.12.1 ;;
  *ensurepip*) exit 1 ;;
  *print*) echo 3.12 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with only what the script looks at, and a PATH with only what it calls."""
    (tmp_path / "quickstart").mkdir()
    shutil.copy(ROOT / "quickstart" / "python-env", tmp_path / "quickstart")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return tmp_path


def prepare(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", ". quickstart/python-env; python_env base"],
        cwd=project,
        env={"PATH": str(project / "bin"), "HOME": str(project), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def add(project: Path, name: str, text: str) -> Path:
    program = project / "bin" / name
    program.write_text(text)
    program.chmod(0o755)
    return program


def test_no_python(project: Path) -> None:
    done = prepare(project)
    assert done.returncode == 2
    assert "error: no Python of 3.11 or later" in done.stderr
    assert "no python3 at all" in done.stderr
    assert not (project / ".venv").exists()


def test_python_too_old(project: Path) -> None:
    add(project, "python3", OLD)
    done = prepare(project)
    assert done.returncode == 2
    assert "Python 3.9.2" in done.stderr


def test_venv_module_missing(project: Path) -> None:
    add(project, "python3", OLD)
    add(project, "python3.12", WITHOUT_VENV)
    done = prepare(project)
    assert done.returncode == 2
    assert "apt-get install python3.12-venv" in done.stderr
    assert "uv" in done.stderr
    assert not (project / ".venv").exists()


def test_chosen_python_is_no_python(project: Path) -> None:
    add(project, "python3", WITHOUT_VENV)
    done = prepare(project, PYTHON="/nowhere/python")
    assert done.returncode == 2
    assert "PYTHON=/nowhere/python" in done.stderr


@pytest.mark.parametrize("broken", [False, True])
def test_uv_is_used_where_it_is(project: Path, broken: bool) -> None:
    add(project, "python3", OLD)  # uv brings a Python of its own
    add(
        project,
        "uv",
        f"""#!/bin/sh
echo "uv $*" >>"{project}/called"
case "$1" in
  venv) mkdir -p .venv/bin; printf '#!/bin/sh\\n' >.venv/bin/python; chmod +x .venv/bin/python ;;
  pip) exit {int(broken)} ;;
esac
""",
    )
    (project / "bin" / "chmod").symlink_to(shutil.which("chmod") or "")
    done = prepare(project)
    called = (project / "called").read_text().splitlines()
    assert called[0] == "uv venv --quiet --clear --python >=3.11 .venv"
    assert called[1].startswith("uv pip install")
    if broken:
        assert done.returncode == 1
        assert "could not be installed" in done.stderr
        assert not (project / ".venv" / "installed-base").exists()
        return
    assert done.returncode == 0
    # The second time there is nothing to do, until pyproject.toml changes.
    assert prepare(project).stdout == ""
    with (project / "pyproject.toml").open("a") as file:
        file.write("\n")
    assert "installing" in prepare(project).stdout
