from __future__ import annotations

import io

from rich.console import Console
from screen import TAIL_LINES, Screen, _LiveWatch


def plain() -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(Console(file=out, highlight=False, width=80)), out


def test_off_a_terminal_a_line_a_phase_and_a_quarter() -> None:
    screen, out = plain()
    with screen.watching(100) as watch:
        for count in range(101):
            watch.ended(count)
            watch.line("module", "text")
    screen.done("census", "done")
    assert out.getvalue().splitlines() == [
        "    25 of 100 tasks have ended",
        "    50 of 100 tasks have ended",
        "    75 of 100 tasks have ended",
        "  ✓ census       done",
    ]


def test_many_that_end_at_once_are_told_once_a_quarter() -> None:
    screen, out = plain()
    with screen.watching(4) as watch:
        watch.ended(4)
    assert len(out.getvalue().splitlines()) == 3


def test_live_lines_keep_their_height_and_let_no_control_sequence_through() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    watch = _LiveWatch(console, 10)
    heights = set()
    for count in range(TAIL_LINES + 3):
        watch.line("a.module", f"line {count} \x1b[2J\x07 " + "x" * 200)
        with console.capture() as captured:
            console.print(watch)
        heights.add(captured.get().count("\n"))
        assert "\x1b[2J" not in captured.get()
    assert len(heights) == 1
