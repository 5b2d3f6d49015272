"""The modules of a task folder import one another by their plain names, as a worker lets them."""

from __future__ import annotations

import sys
from pathlib import Path

QUICKSTART = Path(__file__).parents[3] / "quickstart"
for _folder in ("census", "tour"):
    if str(QUICKSTART / _folder) not in sys.path:
        sys.path.append(str(QUICKSTART / _folder))
