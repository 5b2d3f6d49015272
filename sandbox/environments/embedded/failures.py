"""A part that won't run, as the error that people see: in its own words, with its own exit code."""

from __future__ import annotations

from sandbox.config.locations import StateFolder
from sandbox.environments.embedded.record import LastExit, PartRecord, Record
from sandbox.errors import Conflict, InvalidInput, NotAllowed, SandboxError, StartFailed, StoreError

_KINDS: dict[int, type[SandboxError]] = {2: InvalidInput, 4: NotAllowed, 5: Conflict, 7: StoreError}
_BECAUSE, _TRY = "because ", "try: "


def part_failed(folder: StateFolder, name: str, part: PartRecord) -> SandboxError:
    """The error for a part that ended. What it said itself as `error: …`, `because …`, `try: …` is said again."""
    log = folder.part_log(name)
    ended = part.last_exit or LastExit(None, None, 0, ())
    kind = _KINDS.get(ended.code or 0, StartFailed)
    told = _own_error(ended.lines)
    if told is None:
        return kind(
            f"the {name} {exit_words(ended)}",
            subject=folder.name,
            why="\n".join(ended.lines) or "it wrote nothing before",
            hint=f"all of it is in {log}",
        )
    what, why, hint = told
    return kind(f"the {name} didn't start: {what}", subject=folder.name, why=why, hint=hint or f"more is in {log}")


def not_ready(folder: StateFolder, record: Record | None, *, timeout_s: float) -> StartFailed:
    """The error for an environment that took too long."""
    parts = record.parts.items() if record is not None else ()
    told = [f"the {name} {_stands(part)}" for name, part in parts] or ["the supervisor didn't start its parts"]
    return StartFailed(
        f"no task can run after {timeout_s:.0f} s",
        subject=folder.name,
        why="\n".join(told),
        hint=f"look into {folder.part_log('orchestrator')} and {folder.part_log('shepherd')}, or give it more time: "
        f"azolla-local up --timeout {2 * timeout_s:.0f}",
    )


def supervisor_failed(folder: StateFolder, status: int | None) -> StartFailed:
    """The error for a supervisor that ended by itself."""
    log = folder.part_log("supervisor")
    try:
        lines = log.read_text("utf-8", "replace").splitlines()[-3:]
    except OSError:  # then the exit status is all there is
        lines = []
    return StartFailed(
        f"the supervisor ended with status {status}", subject=folder.name, why="\n".join(lines), hint=f"see {log}"
    )


def exit_words(ended: LastExit) -> str:
    """How a part ended: `ended with exit code 7`."""
    if ended.signal is not None:
        return f"was killed by signal {ended.signal}"
    return "ended" if ended.code is None else f"ended with exit code {ended.code}"


def last_words(ended: LastExit) -> str:
    """How a part ended, with the line that says most."""
    told = _own_error(ended.lines)
    line = told[0] if told else (ended.lines[-1] if ended.lines else "")
    return f"{exit_words(ended)}: {line}" if line else exit_words(ended)


def _stands(part: PartRecord) -> str:
    if part.last_exit is None:
        return "runs, but isn't ready" if part.state == "running" else f"is {part.state}"
    return f"{last_words(part.last_exit)} (started again {part.restarts} times)"


def _own_error(lines: tuple[str, ...]) -> tuple[str, str, str] | None:
    starts = [index for index, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return None
    what = lines[starts[-1]].removeprefix("error: ")
    why: list[str] = []
    hint = ""
    for line in (line.strip() for line in lines[starts[-1] + 1 :]):
        if line.startswith(_TRY):
            hint = line.removeprefix(_TRY)
            break
        why.append(line.removeprefix(_BECAUSE))
    return what, "\n".join(why), hint
