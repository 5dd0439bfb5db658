"""`cws report`: the page of a run, or of a live day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, working

app = command_file()


@app.command()
def report(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run id, any clear beginning of one, or `last`.")
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to.", show_default="the workspace's reports")
    ] = None,
    factors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet: a column of times, and columns of returns a bar."),
    ] = None,
    quantstats: Annotated[bool, typer.Option("--quantstats", help="quantstats' tear sheet beside it.")] = False,
    day: Annotated[str | None, typer.Option(metavar="DAY", help="A live day instead: 2023-01-09, or `last`.")] = None,
    account: Annotated[
        str | None, typer.Option(help="Of the day: its folder below .cws/live.", show_default="the only one")
    ] = None,
    json: Json = False,
) -> None:
    """Write the report of a run: one HTML page, pictures, JSON.

    What `cws gap` and `cws validate` found of the run is on the page too. With --day: what trading cost on a day that
    `cws live` recorded.
    """
    if (run is None) == (day is None) or (day is None and account is not None):
        raise RequestError("a report is of a run, or of a day of an account", "give RUN, or --day [--account]")
    if day is not None:
        _day(day, account, out_dir, json=json)
        return
    assert run is not None
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


def _day(day: str, account: str | None, out_dir: Path | None, *, json: bool) -> None:
    from cli.accounts import account_folder
    from harness.report.daypage import read_day
    from modules.workspace import Workspace

    folder = account_folder(account)
    with working("reading the tape"):
        made = read_day(folder, day)
        html, figures = made.write(out_dir or Workspace.here().reports / f"{folder.name}-{made.day}")
    total = made.costs.total()
    facts = {**made.numbers(), "html": html, "json": figures}
    words = f"{made.word}: {total.orders:,} orders, shortfall {total.shortfall:.2f} bps\n{html}"
    emit(facts, json, lambda out: out.print(words, markup=False, soft_wrap=True))
