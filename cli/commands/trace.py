"""`cws trace`: the events in SQL, and a run handed to MLflow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from cli.session import Stores

SOONEST_S, LATEST_S = 0.2, 2.0
"""How long `--follow` waits before it looks again: a busy ledger often, a quiet one seldom."""

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
def tail(
    count: Annotated[int, typer.Option("--count", "-n", min=0, max=10_000, help="The last so many events.")] = 20,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Only these, like ablation.finished; all of one with night.*"),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is appended, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """The newest events, one a line. With --json one JSON object a line, as the ledger holds them."""
    from collections import deque

    from cli.session import stores
    from cli.tail import kinds_of, show
    from traces.reader import Follower

    workspace = stores().workspace
    follower = Follower(workspace.ledger, workspace.checkpoints, kinds=kinds_of(kind))
    newest = deque(follower.new(), maxlen=count)
    if not newest and not follow and not json:
        say("no event of that kind" if kind else "nothing was recorded yet")
    show(newest, json)
    wait = SOONEST_S
    while follow:
        seen = show(follower.new(), json)
        wait = SOONEST_S if seen else min(wait * 1.5, LATEST_S)
        time.sleep(wait)


@app.command()
def export(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A run id, the beginning of one, or `last`.", show_default="all that MLflow has not heard of"
        ),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(help="MLflow tracking URI.", show_default="mlflow.db in the workspace's home"),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="The runs of ablations and certificates too.")] = False,
    seconds: Annotated[float, typer.Option(min=1.0, help="Stop after this time; the next call goes on.")] = 600.0,
    json: Json = False,
) -> None:
    """Hand what was recorded to MLflow: runs, ablations, certificates, with their reports. Each once, repeatable."""
    from cli.output import working
    from cli.session import stores

    found = stores()
    if run is not None:
        _export_run(found, run, uri, json)
        return
    from supervisor.tracking import track

    with working("telling MLflow"):
        told = track(found.workspace, uri, everything=all_, seconds=seconds)
    words = f"{told.runs:,} runs, {told.ablations:,} ablations, {told.certificates:,} certificates told"
    emit(told, json, lambda out: out.print(f"{words} to MLflow at {told.tracking_uri}", markup=False, soft_wrap=True))
    if not told.complete and not json:
        say("time ran out: call it again to go on")


def _export_run(found: Stores, run: str, uri: str | None, json: bool) -> None:
    from traces.export import run_export, to_mlflow, without_password
    from traces.reader import read

    workspace = found.workspace
    run_id = found.manifests.load(run).run_id
    reports = sorted(p for p in (workspace.reports / run_id).glob("*") if p.is_file())
    exported = run_export(read(workspace.ledger, workspace.checkpoints), run_id, reports)
    target = uri or f"sqlite:///{workspace.home / 'mlflow.db'}"
    mlflow_id, shown = to_mlflow(exported, target, workspace.home / "mlflow"), without_password(target)
    result = {"run_id": run_id, "mlflow_run_id": mlflow_id, "tracking_uri": shown, "files": len(reports)}
    emit(result, json, lambda out: out.print(f"run {run_id} is MLflow run {mlflow_id} at {shown}", markup=False))
