"""Makes `generated/` from `protos/`: run `python -m shepherd.wire.generate` after a change there.

Needs grpcio-tools (in the `dev` extra). The generated modules are bent to our own descriptor pool and
to their place in this package; a test compares what is checked in with what this makes.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from importlib import import_module, resources
from pathlib import Path

HERE = Path(__file__).parent
PROTOS = HERE / "protos"
GENERATED = HERE / "generated"

_IMPORT = re.compile(r"^from (azolla(?:_local)?) import (\w+_pb2)", re.MULTILINE)


def generate(target: Path) -> None:
    """Write the modules and their stubs below `target`, which is replaced."""
    protoc = import_module("grpc_tools.protoc")
    include = resources.files("grpc_tools") / "_proto"
    sources = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        code = protoc.main(
            ["protoc", f"-I{PROTOS}", f"-I{include}", f"--python_out={out}", f"--pyi_out={out}", *sources]
        )
        if code != 0:
            raise SystemExit(code)
        shutil.rmtree(target, ignore_errors=True)
        for made in sorted(out.rglob("*_pb2.py*")):
            place = target / made.relative_to(out)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_bend(made.read_text()))
        for package in (target, *(path for path in target.iterdir() if path.is_dir())):
            (package / "__init__.py").write_text('"""Generated from `protos/`; not edited by hand."""\n')


def _bend(text: str) -> str:
    text = _IMPORT.sub(r"from shepherd.wire.generated.\1 import \2", text)
    text = text.replace("_descriptor_pool.Default()", "POOL")
    return text.replace(
        "from google.protobuf import descriptor_pool as _descriptor_pool", "from shepherd.wire.pool import POOL"
    )


if __name__ == "__main__":
    generate(GENERATED)
    sys.stderr.write(f"made {GENERATED.name}/ from {PROTOS.name}/\n")
