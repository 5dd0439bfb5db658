"""`cws report`: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, working

app = command_file()


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to.", show_default="the workspace's reports")
    ] = None,
    factors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet: a column of times, and columns of returns a bar."),
    ] = None,
    quantstats: Annotated[bool, typer.Option("--quantstats", help="quantstats' tear sheet beside it.")] = False,
    json: Json = False,
) -> None:
    """Write the report of a run: one HTML page, pictures, JSON.

    What `cws gap` and `cws validate` found of the run is on the page too.
    """
    from harness.report import open_report, write
    from harness.report.tearsheet import write_tearsheet
    from modules.workspace import Workspace

    place = Workspace.here()
    with working("drawing"):
        made = open_report(run, place, factors)
        folder = out_dir or place.reports / made.manifest.run_id
        written = write(made, folder)
        sheet = write_tearsheet(made, folder / "quantstats.html") if quantstats else None
    emit(
        {
            "run_id": made.manifest.run_id,
            "html": written.html,
            "json": written.json,
            "pngs": list(written.pngs),
            "warnings": list(written.warnings),
            "notes": list(written.notes),
            "quantstats": sheet,
        },
        json,
        lambda out: out.print(str(written.html), soft_wrap=True),
    )
