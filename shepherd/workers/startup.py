"""What both kinds of worker do before task code runs."""

from __future__ import annotations

import sys


def add_site_packages() -> None:
    """Make the packages of the interpreter or virtual environment importable, if `-S` has left them out."""
    if "site" not in sys.modules:
        import site

        site.main()
