"""`cws risk`: what an account holds, what it can lose, and whether the venue agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cli.riskview import RiskView
    from modules.live.place import Place

app = command_file()


@app.command()
def risk(
    account: Annotated[
        str | None, typer.Option(help="The account that is traded.", show_default="the only one")
    ] = None,
    history: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="A recorded run, of whose bars losses are measured.")
    ] = None,
    ask_venue: Annotated[
        bool, typer.Option("--ask-venue", help="Compare with the venue's own report; the risk core waits for it.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the Monte Carlo draws.")] = 0,
    json: Json = False,
) -> None:
    """Exposure, value at risk by three methods, breaks. Exit 1 where the venue has it otherwise."""
    from cli.accounts import account_folder
    from modules.live.place import Place

    found = _look(Place(account_folder(account)), history, ask_venue, seed)
    emit(found, json, lambda out: show(out, found))
    if found.breaks:
        raise typer.Exit(1)


def _look(place: Place, history: str | None, ask_venue: bool, seed: int) -> RiskView:
    from cli.riskview import view
    from cli.session import stores
    from modules.live.journal.opening import read_along
    from modules.live.messages import Hello
    from modules.live.riskd.client import RiskClient, RiskUnavailableError
    from modules.live.riskd.config import load_config
    from modules.panel import Panel

    config = load_config(place.folder)
    try:
        client = RiskClient.connect(place.riskd, Hello("viewer", config.mode, "", place.account), 5.0)
        status = client.status()
        report = client.report() if ask_venue else None
        client.close()
    except RiskUnavailableError as error:
        raise CommandError(str(error), f"start it: cws riskd --account {place.account}") from error
    bars = None
    if history is not None:
        s = stores()
        manifest = s.manifests.load(history)
        found = s.artifacts.get(manifest.output("bars"))
        assert isinstance(found, Panel)
        history, bars = manifest.run_id, found
    journal = read_along(place.journal, f"{place.account}-desk", config.journal)
    entries = [entry.message for entry in journal.new()] if ask_venue else []
    return view(status, config.traded, bars=bars, history=history, seed=seed, entries=entries, report=report)


def show(out: Console, found: RiskView) -> None:
    """Exposure, then losses, then breaks."""
    from cli.present import rows, table

    held = found.exposure
    stopped = found.killed or found.refusing
    out.print(f"{found.mode} {found.account}  NAV {held.nav_micros / 1e6:,.2f}", markup=False, style="bold")
    if stopped:
        out.print(f"nothing goes out: {stopped}", markup=False, style="bold red")
    figures = (
        f"gross {held.leverage:.2%}  net {held.net:+.2%}  beta {held.beta:+.2%}  "
        f"concentration {held.concentration:.4f} (as {held.effective:.1f} equal positions)  "
        f"gross if all fills {held.gross_if_filled_micros / held.nav_micros:.2%}"
    )
    out.print(figures, markup=False)
    if held.unpriced:
        out.print(f"without a price, and in no figure: {', '.join(held.unpriced)}", markup=False, style="yellow")
    made = table("symbol", "sector", "lots", "value", "of NAV", "days to close", right=("lots", "value", "of NAV"))
    cells = (
        (h.symbol, h.sector, h.lots, f"{h.value_micros / 1e6:,.0f}", f"{h.weight:+.2%}", h.days) for h in held.held
    )
    out.print(rows(made, cells) if held.held else "nothing is held")
    loss = found.loss
    if loss is None:
        out.print("losses: give --run RUN, of whose bars they are measured")
    elif loss.note:
        out.print(f"losses on the bars of {found.history}: {loss.note}", markup=False)
    else:
        out.print(_losses(found))
    if found.breaks is None:
        out.print("the venue was not asked (--ask-venue)")
    elif not found.breaks:
        out.print("the venue agrees", style="green")
    for one in found.breaks or ():
        worth = "" if one.micros is None else f" ({one.micros / 1e6:+,.2f})"
        words = f"{one.what} {one.subject}: here {one.ours}, at the venue {one.theirs}{worth}"
        out.print(words, markup=False, style="bold red")


def _losses(found: RiskView) -> Table:
    from cli.present import rows, table
    from modules.tail import LEVELS

    assert found.loss is not None
    names = tuple(f"VaR {level:.0%}" for level in LEVELS) + tuple(f"beyond {level:.0%}" for level in LEVELS)
    made = table(f"a bar, of NAV ({found.loss.bars} bars)", *names, right=names)
    cells = ((t.method, *("-" if v is None else f"{v:.2%}" for v in (*t.var, *t.cvar))) for t in found.loss.tails)
    return rows(made, cells)
