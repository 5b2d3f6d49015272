"""`azolla-local sql`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from sandbox.cli.invocation import Invocation
from sandbox.cli.output import dump_json


def command(
    inv: Invocation,
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="SQL that reads, or - for the input.")],
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=100_000, help="At most so many rows.")
    ] = 1000,
) -> None:
    """Ask the database, read-only.

        azolla-local sql 'select name, count(*) from tasks group by name'
        azolla-local sql 'select name, sql from sqlite_schema'

    With --json each row is an object. A statement that takes longer than some seconds is ended.
    """
    text = sys.stdin.read() if statement == "-" else statement
    with inv.client() as client:
        found = client.sql(text, limit=limit)
    if inv.json:
        for row in found.rows:
            inv.out.json_line(dict(zip(found.columns, row, strict=True)))
    else:
        inv.out.table(found.columns, [[_cell(value) for value in row] for row in found.rows])
    if found.truncated:
        inv.out.error_line(f"only the first {limit:,} rows; more with -n N")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dump_json(value)
