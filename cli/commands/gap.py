"""`cws gap`: where the vector result and a run's account part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from harness.vector.gap import Gap

app = command_file()


@app.command()
def gap(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    json: Json = False,
) -> None:
    """Where the vector result and a run's account part: frictions switched on one at a time, with what each costs.

    The vector result is vectorbt's, of the same targets: no cost, no limit, fills at the decision's close. Kept beside
    the run, so that its report page shows it.
    """
    from cli.session import stores
    from harness.vector.gap import run_gap
    from harness.vector.store import GapStore
    from modules.replay import recorded_modules

    s = stores()
    manifest = s.manifests.load(run)
    with working("keeping both accounts"):
        found = run_gap(manifest, s.artifacts, recorded_modules(manifest))
        GapStore(s.workspace.runs).save(manifest, found)
    emit(found, json, lambda out: _show(out, found))


def _show(out: Console, found: Gap) -> None:
    from rich.text import Text

    from cli.present import rows, table, text
    from harness.vector.words import parting_words

    numbers = ("return bps/year", "part", "Sharpe", " part")
    made = table("cause", *numbers, "parts first", "by", right=numbers)
    made.add_row("vector result", *_level(found.vector.annual_bps, None, found.vector.sharpe, None), "", "")
    for p in found.parts:
        where = Text(p.first.time if p.first else "-")
        cells = _level(p.after.annual_bps, p.annual_bps, p.after.sharpe, p.sharpe)
        made.add_row(p.cause, *cells, where, Text(parting_words(p.first)))
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
