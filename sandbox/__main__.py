"""`python -m sandbox` is `azolla-local`."""

from __future__ import annotations

import sys

from sandbox.cli.app import main

sys.exit(main())
