"""`cws data`: bring your own bars, and see what is registered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from modules.datastore import DataVersion
    from modules.dataversion import Overlap
    from modules.facts.adding import FactsAdded
    from modules.ingest.adding import AddResult

app = command_file("Data sets.")

Column = Annotated[str | None, typer.Option(metavar="COLUMN", show_default="guessed")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the data set is to be called.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="CSV or Parquet files, long or wide.")],
    layout: Annotated[
        Literal["long", "wide"] | None,
        typer.Option(help="long: a row per symbol and time; wide: a column per symbol.", show_default="guessed"),
    ] = None,
    time_column: Column = None,
    symbol_column: Column = None,
    open_column: Column = None,
    high_column: Column = None,
    low_column: Column = None,
    close_column: Column = None,
    adj_close_column: Column = None,
    volume_column: Column = None,
    split_column: Column = None,
    dividend_column: Column = None,
    member_column: Column = None,
    actions: Annotated[
        Path | None,
        typer.Option(help="A file of splits, dividends, delistings, renames, memberships."),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="The one symbol of a file that names none.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Of times that carry no offset, like America/New_York.", show_default="guessed")
    ] = None,
    date_order: Annotated[Literal["iso", "mdy", "dmy"] | None, typer.Option(show_default="guessed")] = None,
    calendar: Annotated[
        str | None, typer.Option(help="An exchange-calendars name, like XNYS, or 24/7.", show_default="guessed")
    ] = None,
    interval_s: Annotated[
        int | None, typer.Option(min=1, help="Length of a bar in seconds.", show_default="guessed")
    ] = None,
    bar_stamp: Annotated[
        Literal["open", "close"], typer.Option(help="Whether an intraday bar is labelled by its open or its close.")
    ] = "open",
    venue: Annotated[str | None, typer.Option(help="Venue of every symbol, like NYSE.")] = None,
    currency: Annotated[str, typer.Option(help="Currency of the prices.")] = "USD",
    instruments: Annotated[
        Path | None, typer.Option(help="A CSV with what is known of each symbol: venue, sector, lot size.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="DATE", help="A vintage: from when on these values could be known.")
    ] = None,
    max_refused_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Refuse the whole file where more rows than this are refused.")
    ] = 0.2,
    kind: Annotated[
        Literal["bars", "facts"], typer.Option(help="bars: prices; facts: figures of companies, as filed.")
    ] = "bars",
    symbols: Annotated[
        Path | None, typer.Option(help="Facts: a CSV or Parquet file with cik and symbol, for files that name CIKs.")
    ] = None,
    overlap: Annotated[
        Literal["refuse", "seal", "expose"],
        typer.Option(
            help="Rows that another set keeps in its lockbox: refuse; seal: the lockbox begins there; "
            "expose: they lie open, which is recorded and counts as a look."
        ),
    ] = "refuse",
    json: Json = False,
) -> None:
    """Register CSV or Parquet bars under a name: guesses the columns, shows the guess and every row refused.

    With --kind facts: the SEC's financial statement data sets (sub and num), companyfacts, or a table of figures.
    """
    for path in (*paths, *filter(None, (instruments, symbols, actions))):
        if not path.exists():
            raise RequestError(f"{path} does not exist", "check the path")
    if kind == "facts":
        _refuse_options_of_bars(
            layout, time_column, symbol_column, open_column, high_column, low_column, close_column, adj_close_column,
            volume_column, split_column, dividend_column, member_column, actions, symbol, date_order, calendar,
            interval_s, known_at,
        )  # fmt: skip
        _add_facts(name, paths, symbols, timezone, venue, instruments, max_refused_share, overlap, json=json)
        return
    if symbols is not None:
        raise RequestError("--symbols goes with --kind facts", "bars name their symbols in a column: --symbol-column")
    from cli.session import registered, session
    from modules.ingest.adding import AddOptions, add_files

    options = AddOptions(
        layout=layout,
        time_column=time_column,
        symbol_column=symbol_column,
        open_column=open_column,
        high_column=high_column,
        low_column=low_column,
        close_column=close_column,
        adj_close_column=adj_close_column,
        volume_column=volume_column,
        split_column=split_column,
        dividend_column=dividend_column,
        member_column=member_column,
        actions=actions,
        symbol=symbol,
        timezone=timezone,
        date_order=date_order,
        calendar=calendar,
        interval_s=interval_s,
        bar_stamp=bar_stamp,
        venue=venue,
        currency=currency,
        instruments=instruments,
        known_at=known_at,
        max_refused_share=max_refused_share,
        overlap=overlap,
    )
    with session() as s, working("reading"):
        before = {(v.name, v.version) for v in s.data.list()}
        result = add_files(s.data, name, paths, options)
        new = (result.version.name, result.version.version) not in before
        if new:
            s.emit(registered(result.version))
    emit(_added(result, new), json, lambda out: _show_added(out, result, new))
    if not json:
        say(f"next: [bold]cws run --data {name}[/]")


def _refuse_options_of_bars(*given: object) -> None:
    if any(value is not None for value in given):
        raise RequestError(
            "an option of bars was given with --kind facts",
            "facts take --symbols, --timezone, --venue, --instruments and --max-refused-share",
        )


def _add_facts(
    name: str,
    paths: list[Path],
    symbols: Path | None,
    timezone: str | None,
    venue: str | None,
    instruments: Path | None,
    max_refused_share: float,
    overlap: Overlap,
    *,
    json: bool,
) -> None:
    from cli.session import registered, session
    from modules.facts.adding import FactOptions, add_facts

    options = FactOptions(
        symbols=symbols,
        timezone=timezone,
        venue=venue,
        instruments=instruments,
        max_refused_share=max_refused_share,
        overlap=overlap,
    )
    with session() as s, working("reading"):
        before = {(v.name, v.version) for v in s.data.list()}
        result = add_facts(s.data, name, paths, options)
        new = (result.version.name, result.version.version) not in before
        if new:
            s.emit(registered(result.version))
    shown = {
        **_version(result.version),
        "refused": result.refused,
        "first_refused": result.first_refused,
        "left_out": result.left_out,
        "concepts": result.concepts,
        "notes": result.notes,
        "new": new,
    }
    emit(shown, json, lambda out: _show_facts(out, result, new))
    if not json:
        say(f"next: [bold]cws run --facts {name}[/] with a module that reads facts, like feature/value")


def _show_facts(out: Console, result: FactsAdded, new: bool) -> None:
    from cli.present import rows, table

    _show_head(out, result.version, new)
    out.print(rows(table("concept", "facts", right=("facts",)), result.concepts.items()))
    if result.left_out:
        out.print(rows(table("not used", "rows", right=("rows",)), result.left_out.items()))
    for note in result.notes:
        out.print(f"note: {note}", markup=False)
    _show_refused(out, result.refused, result.first_refused)


def _show_head(out: Console, version: DataVersion, new: bool) -> None:
    state = "registered" if new else "was registered before, unchanged"
    out.print(f"[bold]{version.name}[/] {version.version} {state}: {version.rows:,} rows, {version.symbols} symbols")
    out.print(f"{version.start} to {version.end}; digest {version.digest}", markup=False, soft_wrap=True)
    for name, days in version.exposes.items():
        out.print(f"[bold red]! {days} symbol-days of the lockbox of {name} lie open in it[/]")


@app.command("list")
def list_(json: Json = False) -> None:
    """Every registered version, the bundled sets included."""
    from cli.present import rows, table
    from cli.session import session
    from modules.datastore import BUNDLED

    with session() as s, working("looking"):
        for name in BUNDLED:
            s.version(name)
        found = s.data.list()
        current = {v.name: s.data.current(v.name).digest for v in found}
    listed = [{**_version(v), "current": current[v.name] == v.digest} for v in found]
    made = table(
        "data", "kind", "version", "rows", "symbols", "from", "to", "lockbox from", "digest", right=("rows", "symbols")
    )
    cells = (
        (
            v["name"] if v["current"] else f"({v['name']})",
            *(v[k] for k in ("kind", "version", "rows", "symbols", "start", "end", "lockbox_start")),
            str(v["digest"])[:12],
        )
        for v in listed
    )
    emit({"data": listed}, json, lambda out: out.print(rows(made, cells)))


def _version(version: DataVersion) -> dict[str, object]:
    from modules.panel import iso

    return {
        "name": version.name,
        "kind": version.kind,
        "version": version.version,
        "digest": version.digest,
        "rows": version.rows,
        "symbols": version.symbols,
        "start": version.start,
        "end": version.end,
        "refused": version.refused,
        "ingest": version.ingest,
        "mining_end": iso(version.mining_end_ns),
        "lockbox_start": iso(version.lockbox_start_ns),
        "exposes": version.exposes,
    }


def _added(result: AddResult, new: bool) -> dict[str, object]:
    return {
        **_version(result.version),
        "refused": result.refused,
        "first_refused": result.first_refused,
        "guess": result.guess.shown(),
        "unused_columns": result.guess.unused,
        "notes": result.notes,
        "new": new,
    }


def _show_added(out: Console, result: AddResult, new: bool) -> None:
    from cli.present import rows, table

    _show_head(out, result.version, new)
    out.print(rows(table("read as", ""), result.guess.shown().items()))
    if result.guess.unused:
        out.print(f"columns not used: {', '.join(result.guess.unused)}", markup=False)
    for note in result.notes:
        out.print(f"note: {note}", markup=False)
    _show_refused(out, result.refused, result.first_refused)


def _show_refused(out: Console, refused: Mapping[str, int], first: Mapping[str, tuple[str, ...]]) -> None:
    from cli.present import rows, table

    if not refused:
        out.print("no row was refused")
        return
    made = table("refused by", "rows", "the first", right=("rows",))
    out.print(rows(made, ((rule, n, "\n".join(first.get(rule, ()))) for rule, n in refused.items())))
