"""An error as people read it: what happened, to what, why, and what to do next.

::

    error: No task has that name (ad)
      because 12 names are known here, and this is none of them
      try: did you mean add?
"""

from __future__ import annotations

import json
from typing import ClassVar, Protocol, TypeGuard

from sandbox.cli.output import Output


class Explained(Protocol):
    """The five parts that the errors of all our packages share, and the exit code."""

    code: ClassVar[str]
    exit_code: ClassVar[int]
    what: str
    subject: str
    why: str
    hint: str


_PARTS = ("code", "what", "subject", "why", "hint", "exit_code")


def is_explained(error: BaseException) -> TypeGuard[Explained]:
    """Whether the error brings the parts, whatever package it comes from."""
    return all(hasattr(error, part) for part in _PARTS)


def render_error(error: Explained, out: Output) -> None:
    """Write the error to stderr: three lines for people, one JSON object with `--json`."""
    if out.json:
        shown = {part: str(getattr(error, part)) for part in _PARTS if part != "exit_code"}
        retry_after = getattr(error, "retry_after", None)
        if retry_after is not None:
            shown["retry_after"] = retry_after
        out.error_line(json.dumps({"error": shown}, ensure_ascii=False))
        return
    subject = f" ({out.safe(error.subject)})" if error.subject and error.subject not in error.what else ""
    out.error_line(f"{out.err_style('error:', 'red bold')} {out.safe(error.what)}{subject}")
    if error.why:
        first, *rest = error.why.splitlines() or [""]
        out.error_line(f"  because {out.safe(first)}")
        for line in rest:
            out.error_line(f"          {out.safe(line)}")
    if error.hint:
        out.error_line(f"  {out.err_style('try:', 'cyan')} {out.safe(out.suggested(error.hint))}")
