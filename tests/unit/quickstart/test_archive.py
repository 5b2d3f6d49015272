from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

CENSUS = Path(__file__).parents[3] / "quickstart" / "census"


def run(folder: Path, args: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    files = {name: folder / f"{name}.json" for name in ("args", "kwargs", "result")}
    files["args"].write_text(args)
    files["kwargs"].write_text('{"results": [1, 2]}')
    variables = {f"AZOLLA_{name.upper()}": str(file) for name, file in files.items()}
    return subprocess.run(
        [str(CENSUS / "archive.sh")],
        env={"PATH": path or os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_packs_the_results_and_tells_where(tmp_path: Path) -> None:
    target = tmp_path / "with space.tar.gz"
    for args in (json.dumps([str(target)]), f' [ "{target}" ]\n'):
        done = run(tmp_path, args)
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "result.json").read_text()) == {
            "archive": str(target),
            "bytes": target.stat().st_size,
        }
        with tarfile.open(target) as archive:
            assert archive.getnames() == ["census.json"]


def test_fails_where_it_cannot_write(tmp_path: Path) -> None:
    done = run(tmp_path, '["/nowhere/at/all.tar.gz"]')
    assert done.returncode != 0
    assert not (tmp_path / "result.json").exists()


def test_check_names_what_is_missing(tmp_path: Path) -> None:
    check = CENSUS / "check-tools.sh"
    assert subprocess.run([str(check)], check=False).returncode == 0
    (tmp_path / "sh").symlink_to("/bin/sh")
    done = subprocess.run(
        ["/bin/sh", str(check)], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs tar" in done.stderr
