"""`cws trace`: the events in SQL, and a run handed to MLflow."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

app = command_file("Query the events of everything that ever ran, in SQL; hand a run to MLflow.")


@app.callback()
def _group() -> None:
    """Query the events of everything that ever ran, in SQL; hand a run to MLflow."""


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


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="A run id, the beginning of one, or `last`.")],
    uri: Annotated[
        str | None,
        typer.Option(help="MLflow tracking URI.", show_default="mlflow.db in the workspace's home"),
    ] = None,
    json: Json = False,
) -> None:
    """Hand a recorded run to MLflow: parameters, metrics, digests, and its report if there is one. Repeatable."""
    from cli.session import stores
    from traces.export import run_export, to_mlflow
    from traces.reader import read

    found = stores()
    workspace = found.workspace
    run_id = found.manifests.load(run).run_id
    reports = sorted(p for p in (workspace.reports / run_id).glob("*") if p.is_file())
    exported = run_export(read(workspace.ledger, workspace.checkpoints), run_id, reports)
    target = uri or f"sqlite:///{workspace.home / 'mlflow.db'}"
    mlflow_id = to_mlflow(exported, target, workspace.home / "mlflow")
    result = {"run_id": run_id, "mlflow_run_id": mlflow_id, "tracking_uri": target, "files": len(reports)}
    emit(result, json, lambda out: out.print(f"run {run_id} is MLflow run {mlflow_id} at {target}", markup=False))
