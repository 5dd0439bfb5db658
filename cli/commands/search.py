"""`cws search`: settings and placeholders of a signal, on discovery data, every trial counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from rich.console import Console

    from harness.search.page import SearchPaths
    from harness.search.search import Request, Result

app = command_file()


@app.command()
def search(
    signal: Annotated[
        str | None, typer.Argument(metavar="[EXPR]", help='With placeholders, like "rank(-returns(close, {days}))".')
    ] = None,
    range_: Annotated[
        list[str] | None, typer.Option("--range", metavar="NAME=LOW:HIGH", help="Of a placeholder; repeat it.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(metavar="STAGE.NAME[=LOW:HIGH]", help="A module's setting, within its bounds; repeat it."),
    ] = None,
    method: Annotated[Literal["grid", "random", "tpe", "cmaes", "nsga2"], typer.Option(help="Who chooses.")] = "tpe",
    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="sharpe, sortino, calmar, deflated_sharpe, or a metric of the run (-metric: smaller); repeat it.",
            show_default="sharpe",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="At most.")] = 50,
    steps: Annotated[int, typer.Option(min=2, max=1_000, help="Of each axis of a grid.")] = 8,
    walk_forward: Annotated[int, typer.Option(min=0, max=100, help="Windows, with grid or random; 0 = none.")] = 0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the sampler.")] = 0,
    data: Annotated[str | None, typer.Option(help="A registered data set.")] = None,
    facts: Annotated[str | None, typer.Option(help="A registered set of facts beside the bars.")] = None,
    pipeline: Annotated[Path | None, typer.Option(help="A pipeline file.", show_default="pipeline.yaml")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder to write to.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=64, help="Processes, with grid or random; the result is the same.")
    ] = 1,
    json: Json = False,
) -> None:
    """Search on the discovery half, never on what judges. The peak is shown with the width of its plateau."""
    from cli.session import session
    from harness.search.page import figures, write_search
    from harness.search.search import Desk, Request
    from harness.search.search import search as run
    from harness.search.space import space_of
    from modules.task import load_pipeline

    with session() as s, working("searching") as tell:
        spec = load_pipeline(pipeline or s.workspace.root / "pipeline.yaml")
        spec = spec.model_copy(update={"facts": facts or spec.facts, "signal": None if signal else spec.signal})
        desk = Desk(s.workspace, s.version(data or spec.data), spec, s.emit)
        if spec.facts:
            s.version(spec.facts)
        space = space_of(signal, range_ or (), setting or (), desk.modules(None))
        request = Request(space, method, tuple(objective or ("sharpe",)), trials, seed, steps, walk_forward)
        result = run(request, desk, lambda n, tried: tell(f"trial {n} of {trials}"), jobs)
        paths = write_search(request, result, out_dir or s.workspace.reports / f"search-{result.search_id}")
    emit({**figures(request, result), "report": paths}, json, lambda out: _show(out, request, result, paths))
    if not json and result.best is not None and result.best.signal is not None:
        say(f'\nnext: [bold]cws run --signal "{result.best.signal}"[/], then cws validate: the search is in its count')


def _show(out: Console, request: Request, result: Result, paths: SearchPaths) -> None:
    from cli.present import rows, table
    from harness.search.page import plateau_words
    from modules.panel import iso

    axes = [a.name for a in request.space.axes]
    made = table("trial", *axes, *request.objectives, right=("trial", *axes, *request.objectives))
    shown = [result.trials[n] for n in result.front]
    if len(request.objectives) == 1:
        known = (t for t in result.trials if t.values[0] == t.values[0])
        shown = sorted(known, key=lambda t: (-t.values[0], t.number))[:10]
    out.print(rows(made, ((t.number, *request.space.values(t.point).values(), *t.values) for t in shown)))
    out.print(
        f"{len(result.trials)} trials on {result.data}, {result.first[:10]} to {result.last[:10]}, discovery data only;"
        f" {result.counted} on this data in the ledger"
    )
    out.print(plateau_words(request, result))
    if result.steps:
        cells = ((iso(s.first_ns)[:10], iso(s.last_ns)[:10], s.chosen, s.before, s.value) for s in result.steps)
        numbers = ("trial", "before", "there")
        out.print(rows(table("walk-forward", "to", *numbers, right=numbers), cells))
        out.print(
            f"all windows together: {result.walked:.3g}" if result.walked is not None else "no window had a figure"
        )
    out.print(f"report {paths.html}", soft_wrap=True)
