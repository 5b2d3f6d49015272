"""All checks in their order, and what follows from them."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from sandbox.config.locations import StateFolder
from sandbox.environments.doctor import engine_checks, host_checks
from sandbox.environments.doctor.check import Finding, State, run_checks


class Report(NamedTuple):
    """What `doctor` has found."""

    findings: list[Finding]

    @property
    def healthy(self) -> bool:
        """Whether an environment can run here."""
        return not any(finding.fatal for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        fatal = [finding.name for finding in self.findings if finding.fatal]
        if fatal:
            return f"azolla-local can't run here: {', '.join(fatal)}"
        lacking = [finding.name for finding in self.findings if finding.state is not State.OK]
        return f"azolla-local runs here; not there or not ideal: {', '.join(lacking)}" if lacking else "all is there"

    def to_json(self) -> dict[str, Any]:
        """The form of `doctor --json`; part of its contract."""
        return {
            "healthy": self.healthy,
            "verdict": self.verdict,
            "checks": [finding.to_json() for finding in self.findings],
        }


def examine(folder: StateFolder, *, host: str, ports: tuple[int, ...]) -> Report:
    """Make every check for the environment of that folder, with the ports that it would take."""
    return Report(
        run_checks(
            (
                host_checks.python,
                host_checks.sqlite,
                partial(host_checks.state_folder, folder),
                partial(host_checks.disk, folder),
                partial(host_checks.ports, host, ports, folder),
                host_checks.clock,
                host_checks.open_files,
                host_checks.cgroups,
                host_checks.user_namespaces,
                host_checks.bubblewrap,
                host_checks.uv,
                engine_checks.engine,
                engine_checks.compose,
            )
        )
    )
