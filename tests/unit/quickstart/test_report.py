from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

from plot import LABELLED, WIDTH, Point, scatter
from report import Census, to_html, to_markdown


def module(name: str, lines: int, **other: Any) -> dict[str, Any]:
    counts: dict[str, Any] = {
        "module": name,
        "lines": lines,
        "functions": 2,
        "documented": 1,
        "classes": 1,
        "branches": lines // 10,
        "longest": f"{name}.f",
        "longest_lines": lines // 2,
        "todos": 0,
    }
    return counts | other


CENSUS = Census(
    modules=[module("small", 10), module("large", 1000), module("a<b>|c", 100, todos=3)],
    failures=[{"module": "broken", "error": "SyntaxError: <oops>", "task_id": "1234"}],
    facts={"Python": "3.x & more"},
)


class Page(HTMLParser):
    """Collects the first cell of each row, and what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "input"}:
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_totals() -> None:
    totals = CENSUS.totals()
    assert (totals["modules"], totals["lines"], totals["functions"], totals["todos"]) == (3, 1110, 6, 3)


def test_page_is_whole_self_contained_and_escaped() -> None:
    html = to_html(CENSUS)
    page = Page()
    page.feed(html)
    assert page.open == []
    assert page.fetched == []
    assert "a<b>|c" in page.text
    assert "<oops>" not in html
    assert "prefers-color-scheme: dark" in html
    rows = html[html.index("<tbody>", html.index("All modules")) :]
    assert rows.index(">large<") < rows.index(">small<")
    assert "azolla-local why 1234" in page.text


def test_page_without_failures_says_nothing_of_them() -> None:
    assert "Not counted" not in to_html(Census(modules=CENSUS.modules, failures=[], facts={}))


def test_nothing_at_all_is_still_a_report() -> None:
    empty = Census(modules=[], failures=[], facts={})
    assert "<svg" in to_html(empty)
    assert to_markdown(empty).startswith("# A census")


def test_markdown_table_has_as_many_cells_as_columns() -> None:
    lines = to_markdown(CENSUS).splitlines()
    head = next(line for line in lines if line.startswith("| module | lines"))
    start = lines.index(head)
    rows = [line.replace("\\|", "") for line in lines[start : start + 5]]
    assert len({row.count("|") for row in rows}) == 1
    assert rows[2].startswith("| large | 1,000 |")
    assert "| broken | SyntaxError: <oops> | `1234` |" in lines


def test_plot_is_svg_with_a_point_a_module_inside_its_frame() -> None:
    points = [Point("none", 0, 0), Point("one", 1, 1), Point("big & <bold>", 9_999, 2_000)]
    root = ET.fromstring(scatter(points))
    circles = root.findall(".//{*}circle")
    assert len(circles) == 3
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < width
        assert 0 < float(circle.attrib["cy"]) < height
    titles = [title.text for title in root.findall(".//{*}title")]
    assert "big & <bold>: 9,999 lines, 2,000 branches" in titles


def test_labels_lie_inside_and_not_on_one_another() -> None:
    points = [Point(f"module{i}", 1000 + i * i, 500 + i) for i in range(40)]
    root = ET.fromstring(scatter(points))
    labels = root.findall(".//{*}text[@class='name']")
    assert 1 <= len(labels) <= LABELLED
    boxes: list[tuple[float, float, float]] = []
    for label in labels:
        width = 6.6 * len(label.text or "")
        x, y = float(label.attrib["x"]), float(label.attrib["y"])
        left = x if label.attrib["text-anchor"] == "start" else x - width
        assert left >= 0
        assert left + width <= WIDTH
        assert y > 0
        for other_left, other_right, other_y in boxes:
            assert left >= other_right or other_left >= left + width or abs(y - other_y) >= 13
        boxes.append((left, left + width, y))
