"""Signal handlers by the C part of `signal`: the module itself makes enums, which costs as much as starting Python."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ENDING = (1, 2, 3, 15)
"""Those that ask for the end: SIGHUP, SIGINT, SIGQUIT, SIGTERM."""

ASKING = (*ENDING, 10, 12, 14)
"""With those that ask for something else, and end a program that doesn't expect them: SIGUSR1, SIGUSR2, SIGALRM."""

_DEFAULT = 0


def handle(number: int, handler: Callable[[int, Any], None] | None) -> None:
    """Call a function at a signal; None: do what the system does by default."""
    part: Any = __import__("_signal")
    part.signal(number, _DEFAULT if handler is None else handler)
