"""`azolla-local doctor`."""

from __future__ import annotations

from sandbox.cli.commands.environment_options import ConfigOption, configuration, name_of
from sandbox.cli.invocation import Invocation
from sandbox.cli.output import terminal_width

_STYLES = {"ok": "green", "warn": "yellow", "missing": "red"}
_UNHEALTHY = 1


def command(inv: Invocation, *, config: ConfigOption = None) -> int:
    """Check what this machine can do.

    Each line says what is there; where something is missing, what it enables and how to get it. Exits with 1 only if
    something is missing without which nothing runs.
    """
    from sandbox.config.locations import StateFolder
    from sandbox.environments.doctor.report import examine

    orchestrator = configuration(config).settings.orchestrator
    report = examine(
        StateFolder.of(name_of(inv)),
        host=orchestrator.host,
        ports=(orchestrator.grpc_port, orchestrator.http_port),
    )
    out = inv.out
    if inv.json:
        out.json_value(report.to_json())
    elif not out.stdout_is_terminal:
        rows = [(one.name, one.state.value, one.found, one.enables, one.how) for one in report.findings]
        out.table(("check", "state", "found", "enables", "how"), rows)
    else:
        for one in report.findings:
            state = out.style(f"{one.state.value:<8}", _STYLES[one.state.value])
            out.line(f"{state} {one.name:<16} {out.safe(_cut(one.found))}")
            if one.how:
                out.line(f"{'':<26}{out.style('for', 'dim')} {one.enables}")
                out.line(f"{'':<26}{out.style('try', 'cyan')} {one.how}")
        out.line()
        out.line(report.verdict)
    return 0 if report.healthy else _UNHEALTHY


def _cut(text: str) -> str:
    room = max(20, terminal_width() - 27)
    return text if len(text) <= room else text[: room - 1] + "…"
