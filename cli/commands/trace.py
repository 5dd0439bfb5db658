"""`cws trace`: the events, in SQL."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

app = command_file("Query the events of everything that ever ran, in SQL.")


@app.callback()
def _group() -> None:
    """Query the events of everything that ever ran, in SQL."""


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="DuckDB SQL over the view `events` and one view a kind.")],
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows.")] = 1_000,
    json: Json = False,
) -> None:
    """Query the ledger: view `events` (seq, ts_ns, kind, payload), and one flat view a kind, like `run_finished`."""
    from cli.present import rows, table
    from cli.session import stores
    from traces.query import sql as ask

    workspace = stores().workspace
    found = ask(workspace.ledger, sql, checkpoint_dir=workspace.checkpoints)
    shown = found.head(limit)
    result = {"columns": found.columns, "rows": shown.rows(named=True), "count": found.height}
    emit(result, json, lambda out: out.print(rows(table(*found.columns), shown.rows())))
    if found.height > limit:
        say(f"{limit:,} of {found.height:,} rows; give --limit for more")
    elif found.is_empty() and not json:
        say("no rows")
