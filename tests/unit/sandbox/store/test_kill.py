"""kill -9 at moments of no choice: what was acknowledged is there, and nothing by halves."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.store.sqlite import SqliteStore

ROUNDS = 10


@pytest.mark.slow
def test_every_acknowledged_task_is_there(database: Path) -> None:
    script = Path(__file__).with_name("killed_writer.py")
    created: set[str] = set()
    ended: set[str] = set()
    moments = random.Random(20_26)
    for round_number in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, str(script), str(database), str(round_number * 1_000_000)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[4],
            env={"PYTHONPATH": "."},
        ) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(moments.randrange(1, 400))]
            child.kill()
            # What was written to the pipe before the end is an acknowledgement too.
            lines += child.stdout.read().splitlines()
        for line in lines:
            for word in line.split():
                (created if word[0] == "+" else ended).add(word[1:])

        store = SqliteStore(database)
        store.open()
        unfinished = {task.task_id for task in store.load_unfinished()}
        store.close()
        connection = sqlite3.connect(database)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = dict(connection.execute("SELECT task_id, status FROM tasks"))
        with_event = {row[0] for row in connection.execute("SELECT task_id FROM events")}
        connection.close()
        assert created <= kept.keys()
        assert all(kept[task_id] == 6 for task_id in ended)
        assert not ended & unfinished
        assert with_event == kept.keys(), "a group is kept whole or not at all"
    assert len(created) > ROUNDS
    assert ended
