"""The Python tasks of the quickstart. A task is a function; what it prints is its log, what it returns its result."""

from __future__ import annotations

import tokenize
from pathlib import Path
from typing import Any

from counting import examine
from report import Census, to_html, to_markdown

from sandbox import task


# resident: a warm worker runs one after another, which is right for hundreds of short tasks of one's own.
# Any error is tried twice more; the delay is short, because this one is meant to be watched.
@task(name="census-module", isolation="resident", retries=2, retry_delay="500ms", max_time="1m")
def count_module(module: str, path: str) -> dict[str, Any]:
    """Count what is in one module of the standard library."""
    with tokenize.open(path) as file:  # as Python itself would: by the encoding that the file declares
        source = file.read()
    return examine(module, source, path=path, say=print).to_dict()


@task(name="census-report", isolation="resident", max_time="1m")
def make_report(
    modules: list[dict[str, Any]], failures: list[dict[str, str]], facts: dict[str, str], folder: str
) -> dict[str, Any]:
    """Reduce the counts of all modules to report.html, report.md and plot.svg in `folder`."""
    census = Census(modules=modules, failures=failures, facts=facts)
    totals = census.totals()
    print(f"{totals['modules']} modules with {totals['lines']:,} lines")
    written: dict[str, str] = {}
    for name, text in (
        ("plot.svg", census.plot()),
        ("report.md", to_markdown(census)),
        ("report.html", to_html(census)),
    ):
        target = Path(folder) / name
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target}, {len(text):,} characters")
        written[name] = str(target)
    return {"totals": totals, "files": written}
