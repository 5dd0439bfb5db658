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
    json: Json = False,
) -> None:
    """Write the report of a run: one HTML page, pictures, JSON.

    What `cws gap` and `cws validate` found of the run is on the page too.
    """
    from cli.running import report_run
    from cli.session import stores

    s = stores()
    manifest = s.manifests.load(run)
    with working("drawing"):
        written = report_run(s, manifest, out_dir, factors)
    emit(
        {
            "run_id": manifest.run_id,
            "html": written.html,
            "json": written.json,
            "pngs": list(written.pngs),
            "warnings": list(written.warnings),
            "notes": list(written.notes),
        },
        json,
        lambda out: out.print(str(written.html), soft_wrap=True),
    )
