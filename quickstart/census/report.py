"""The counts of all modules as a page and as Markdown. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from page import STYLE, TABLE_SCRIPT
from plot import Point, scatter

TITLE = "A census of the Python standard library"
_SUMS = ("lines", "functions", "documented", "classes", "branches", "todos")
_COLUMNS = (
    ("module", "module"),
    ("lines", "lines"),
    ("functions", "functions"),
    ("classes", "classes"),
    ("branches", "branches"),
    ("longest_lines", "longest"),
    ("longest", "longest function"),
    ("todos", "to do"),
)
_IN_MARKDOWN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What the tasks have found. `facts` are shown as they are: which Python, where, when."""

    modules: Sequence[Mapping[str, Any]]
    failures: Sequence[Mapping[str, str]]
    """Each with `module`, `error` and `task_id`."""
    facts: Mapping[str, str]

    def totals(self) -> dict[str, int]:
        """The sums over all modules."""
        sums = {name: sum(int(module[name]) for module in self.modules) for name in _SUMS}
        return {"modules": len(self.modules), **sums}

    def by_lines(self) -> list[Mapping[str, Any]]:
        """The modules, the longest first."""
        return sorted(self.modules, key=lambda module: (-int(module["lines"]), str(module["module"])))

    def longest_function(self) -> Mapping[str, Any] | None:
        """The module that holds the longest function of all."""
        return max(self.modules, key=lambda module: int(module["longest_lines"]), default=None)

    def plot(self) -> str:
        """The scatter plot of all modules, an SVG element."""
        return scatter([Point(str(m["module"]), int(m["lines"]), int(m["branches"])) for m in self.modules])


def to_markdown(census: Census) -> str:
    """The report for a terminal or a repository: the longest modules; the page has them all."""
    lines = [f"# {TITLE}", "", _sentence(census), "", "![Modules by lines and branches](plot.svg)", ""]
    lines += [f"- {name}: {value}" for name, value in census.facts.items()]
    lines += ["", f"## The {min(_IN_MARKDOWN, len(census.modules))} longest modules", ""]
    lines.append("| " + " | ".join(title for _, title in _COLUMNS) + " |")
    lines.append("|" + "|".join("---" if key in {"module", "longest"} else "---:" for key, _ in _COLUMNS) + "|")
    lines += [
        "| " + " | ".join(_markdown_cell(module[key]) for key, _ in _COLUMNS) + " |"
        for module in census.by_lines()[:_IN_MARKDOWN]
    ]
    if census.failures:
        lines += ["", "## Not counted", "", "| module | why | task |", "|---|---|---|"]
        lines += [
            f"| {_markdown_cell(f['module'])} | {_markdown_cell(f['error'])} | `{f['task_id']}` |"
            for f in census.failures
        ]
    return "\n".join(lines) + "\n"


def to_html(census: Census) -> str:
    """The page: one file, nothing fetched, light and dark."""
    totals = census.totals()
    share = 100 * totals["documented"] / totals["functions"] if totals["functions"] else 0
    tiles = [
        ("modules", f"{totals['modules']:,}"),
        ("lines", f"{totals['lines']:,}"),
        ("functions", f"{totals['functions']:,}"),
        ("with a docstring", f"{share:.0f} %"),
        ("classes", f"{totals['classes']:,}"),
        ("branches", f"{totals['branches']:,}"),
        ("still to do", f"{totals['todos']:,}"),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{TITLE}</title><style>{STYLE}</style></head><body><main>",
            f"<header><h1>{TITLE}</h1><p>{escape(_sentence(census))}</p></header>",
            '<section class="tiles">',
            *(f"<div><b>{value}</b><span>{name}</span></div>" for name, value in tiles),
            "</section>",
            "<section><h2>Long modules, and those where the way divides</h2>",
            "<p>Each point is a module, and was a task. Rest the pointer on one for its name.</p>",
            census.plot(),
            "</section>",
            _failures(census),
            "<section><h2>All modules</h2>",
            '<p><input id="filter" type="search" placeholder="Filter by name" aria-label="Filter by name">',
            '<span class="soft">Click on a column to sort by it.</span></p>',
            _table(census),
            "</section>",
            "<footer>",
            *(f"<span>{escape(name)}: {escape(value)}</span>" for name, value in census.facts.items()),
            "</footer></main>",
            f"<script>{TABLE_SCRIPT}</script></body></html>",
            "",
        ]
    )


def _sentence(census: Census) -> str:
    totals = census.totals()
    text = (
        f"{totals['modules']:,} modules hold {totals['lines']:,} lines, {totals['functions']:,} functions and "
        f"{totals['classes']:,} classes."
    )
    longest = census.longest_function()
    if longest and longest["longest"]:
        text += (
            f" The longest function is {longest['longest']}() of {longest['module']}, {longest['longest_lines']:,} "
            "lines."
        )
    return text


def _failures(census: Census) -> str:
    if not census.failures:
        return ""
    rows = "".join(
        f"<tr><td>{escape(f['module'])}</td><td class='text'>{escape(f['error'])}</td>"
        f"<td class='text'><code>azolla-local why {escape(f['task_id'])}</code></td></tr>"
        for f in census.failures
    )
    return (
        '<section class="failures"><h2>Not counted</h2><div class="scroll"><table><thead><tr><th>module</th>'
        f"<th class='text'>why</th><th class='text'>ask</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _table(census: Census) -> str:
    widest = max((int(m["lines"]) for m in census.modules), default=1) or 1
    head = "".join(f"<th{_kind(key)}><button>{escape(title)}</button></th>" for key, title in _COLUMNS)
    rows: list[str] = []
    for module in census.by_lines():
        cells = "".join(f"<td{_kind(key)}>{_cell(module[key])}</td>" for key, _ in _COLUMNS)
        rows.append(f'<tr style="--share:{100 * int(module["lines"]) / widest:.1f}%">{cells}</tr>')
    body = "\n".join(rows)
    return f'<div class="scroll"><table id="modules"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _kind(key: str) -> str:
    return ' class="text"' if key == "longest" else ""


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _markdown_cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.replace("|", "\\|").split())
