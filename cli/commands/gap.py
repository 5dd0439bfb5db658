"""`cws gap`: where the vector result and a run's account part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from harness.vector.gap import Gap
    from harness.vector.parting import Parting

app = command_file()


@app.command()
def gap(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    json: Json = False,
) -> None:
    """Where the vector result and a run's account part: frictions switched on one at a time, with what each costs.

    The vector result is vectorbt's, of the same targets: no cost, no limit, fills at the decision's close.
    """
    from cli.session import stores
    from harness.vector.gap import run_gap
    from modules.replay import recorded_modules

    s = stores()
    manifest = s.manifests.load(run)
    with working("keeping both accounts"):
        found = run_gap(manifest, s.artifacts, recorded_modules(manifest))
    emit(found, json, lambda out: _show(out, found))


def _show(out: Console, found: Gap) -> None:
    from rich.text import Text

    from cli.present import rows, table, text

    numbers = ("return bps/year", "part", "Sharpe", " part")
    made = table("cause", *numbers, "parts first", "by", right=numbers)
    made.add_row("vector result", *_level(found.vector.annual_bps, None, found.vector.sharpe, None), "", "")
    for p in found.parts:
        where = Text(p.first.time if p.first else "-")
        cells = _level(p.after.annual_bps, p.annual_bps, p.after.sharpe, p.sharpe)
        made.add_row(p.cause, *cells, where, Text(_by(p.first)))
    made.add_section()
    total = _level(found.recorded.annual_bps, found.annual_bps, found.recorded.sharpe, found.sharpe)
    made.add_row("recorded run", *total, "", "")
    out.print(f"{found.run_id}  {text(found.bars)} bars")
    out.print(made)
    checks = table("vectorbt against the engine", "largest difference in NAV", "", right=("largest difference in NAV",))
    out.print(rows(checks, ((c.name, f"{c.difference:.1e}", "agree" if c.holds else "PART") for c in found.checks)))
    for note in found.notes:
        out.print(f"note: {note}", markup=False)


def _level(annual: float, part: float | None, sharpe: float | None, sharpe_part: float | None) -> tuple[str, ...]:
    return (
        f"{annual:,.2f}",
        "" if part is None else f"{part:+,.2f}",
        "-" if sharpe is None else f"{sharpe:.3f}",
        "" if sharpe_part is None else f"{sharpe_part:+.3f}",
    )


def _by(first: Parting | None) -> str:
    """The order or fill behind the first difference, in a few words."""
    if first is None or first.symbol is None:
        return ""
    order, before, after = first.order, first.before, first.after
    if order is not None and order.decision != "APPROVE":
        allowed = f"{order.allowed:,.6g} of {order.asked:,.6g} shares"
        return f"{first.symbol}: order {order.order_id} {order.decision} by {order.rule}, {allowed}"
    if after is None or before is None:
        there = before or after
        what = "" if there is None else f"{there.shares:,.6g} shares at {there.price:,.6g}"
        return f"{first.symbol}: only one of them filled {what}"
    if after.price != before.price:
        return f"{first.symbol}: filled at {after.price:,.6g}, not {before.price:,.6g}"
    if after.cost_bps != before.cost_bps:
        return f"{first.symbol}: fill cost {after.cost_bps:,.4g} bps, not {before.cost_bps:,.4g}"
    return f"{first.symbol}: traded {after.of_nav * 1e4:,.8g} bps of NAV, not {before.of_nav * 1e4:,.8g}"
