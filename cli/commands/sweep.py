"""`cws sweep`: every combination of a grid, quickly, on discovery data; each is a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from rich.console import Console

    from cli.sweep import Swept

app = command_file()


@app.command()
def sweep(
    signal: Annotated[str, typer.Argument(metavar="EXPR", help='With places, like "rank(-returns(close, {days}))".')],
    grid: Annotated[
        list[str], typer.Option(metavar="NAME=LOW:HIGH:STEP", help="Values of a place, or NAME=V,V,V; repeat it.")
    ],
    data: Annotated[
        str | None, typer.Option(help="A registered data set.", show_default="as pipeline.yaml says")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Hold this one while EXPR is true, instead of ranking all by EXPR.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="Show so many of the best.")] = 10,
    jobs: Annotated[
        int, typer.Option(min=1, max=64, help="Processes, for sweeps across symbols; the result is the same.")
    ] = 1,
    json: Json = False,
) -> None:
    """Every combination of a grid on discovery data: Sharpe after spread and commission, and nothing else in the way.

    A first look: take what is chosen through `cws run`. Every combination counts as a trial from then on.
    """
    from cli.session import session
    from cli.sweep import sweep_grid
    from harness.vector.grid import grid_of

    asked = grid_of(signal, grid)
    with session() as s, working(f"{len(asked.combinations)} combinations"):
        found = sweep_grid(s, asked, data, symbol, top, jobs)
    emit(found, json, lambda out: _show(out, found))
    if not json and found.best:
        say(f'\nnext: [bold]cws run --signal "{found.best[0].expr}"[/]: the sweep is in its trial count')


def _show(out: Console, found: Swept) -> None:
    from cli.present import rows, table

    places = list(found.best[0].values) if found.best else []
    figures = ("Sharpe", "return/year", "drawdown", "turnover/year", "IC t", "p")
    made = table(*places, *figures, right=(*places, *figures))
    out.print(
        rows(
            made,
            (
                (*s.values.values(), s.sharpe, s.annual_return, s.max_drawdown, s.turnover_year, s.t, s.p_value)
                for s in found.best
            ),
        )
    )
    out.print(
        f"{found.combinations} combinations on {found.data}, {found.first} to {found.last}, discovery data only; "
        f"{found.new_trials} new trials, {found.trials_on_data} on this data in the ledger"
    )
    if found.vectorbt_difference is not None:
        out.print(f"the best {len(found.best)} by vectorbt: largest difference {found.vectorbt_difference:.1e}")
