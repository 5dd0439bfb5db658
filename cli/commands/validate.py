"""`cws validate`: is a run more than luck?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import MAX_SEED, Json, emit, say, working

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from harness.validation.report import Check, ValidationReport

app = command_file()


@app.command()
def validate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="A tenth of the draws: a first look, not for promotion.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed of all draws.", show_default="the run's")
    ] = None,
    json: Json = False,
) -> int:
    """Validate a run: out of sample, permuted, stressed, resampled, deflated by every trial. Exit 1 where it fails."""
    from cli.session import session
    from harness.validation.report import Verdict
    from harness.validation.store import ValidationStore
    from harness.validation.validate import Desk
    from harness.validation.validate import validate as examine
    from traces.reader import read

    with session() as s, working("validating"):
        desk = Desk(s.data, s.artifacts, s.emit, lambda: read(s.workspace.ledger, s.workspace.checkpoints))
        report = examine(s.manifests.load(run), desk, seed=seed, quick=quick)
        path = ValidationStore(s.workspace.runs).save(report)
    emit(_json(report, path), json, lambda out: _show(out, report, path))
    if not json and report.verdict is not Verdict.PASSED:
        say("a check without enough evidence is no pass; docs/validation.md says what each one asks")
    return ExitCode.OK if report.verdict is Verdict.PASSED else ExitCode.FAILED


def _json(report: ValidationReport, path: Path) -> dict[str, object]:
    return {"verdict": report.verdict, "digest": report.digest, "path": path, "report": report.model_dump(mode="json")}


def _show(out: Console, report: ValidationReport, path: Path) -> None:
    """The verdict, every check, then the tables behind them."""
    from cli.present import rows, table, text

    out.print(f"[bold]{report.signal}[/bold]  on {report.data}, {report.first} to {report.last}")
    t = report.trials
    out.print(
        f"net Sharpe {text(report.net_sharpe)}, {report.bars:,} bars; {t.count} trials on this data,"
        f" {t.with_sharpe} with a Sharpe ratio, {t.in_family} with a series on these bars"
    )
    out.print(rows(table("check", "figure", "limit", "verdict", "", right=("figure",)), map(_cells, report.checks)))
    _tables(out, report)
    for note in report.notes:
        out.print(f"note: {note}", markup=False)
    out.print(_word(report.verdict.value))
    out.print(f"report {path}\ndigest {report.digest}", soft_wrap=True)


def _tables(out: Console, report: ValidationReport) -> None:
    from cli.present import rows, table

    t = report.tables
    if t.windows:
        cells = ((w.kind, f"{w.first} to {w.last}", w.own, w.chosen, w.chosen_before, w.subject) for w in t.windows)
        numbers = ("this run", "chosen", "its past")
        out.print(rows(table("walk-forward", "test window", *numbers, "who", right=numbers), cells))
    if t.periods or t.regimes:
        parts = ((p.name, p.bars, p.sharpe, p.annual_return, p.max_drawdown) for p in (*t.periods, *t.regimes))
        out.print(rows(_numbers("period or regime", "bars", "Sharpe", "a year", "drawdown"), parts))
    if t.capacity:
        sizes = ((f"{c.capital_usd:,.0f}", c.net_sharpe, c.annual_return, c.cost_bps_year, c.note) for c in t.capacity)
        out.print(rows(_numbers("capital USD", "net Sharpe", "a year", "costs bps a year", "note"), sizes))
    if t.outcomes:
        draws = ((f"{o.probability:.1%}", o.sharpe, o.wealth, o.max_drawdown) for o in t.outcomes)
        out.print(rows(_numbers("below, in", "Sharpe", "1 becomes", "drawdown"), draws))


def _numbers(first: str, *others: str) -> Table:
    from cli.present import table

    return table(first, *others, right=others)


def _cells(check: Check) -> tuple[object, ...]:
    from cli.present import text

    sign = ">=" if check.side == "at least" else "<="
    limit = "-" if check.limit is None else f"{sign} {text(check.limit)}"
    return (check.name.replace("_", " "), check.figure, limit, _word(check.verdict.value), check.words)


def _word(word: str) -> object:
    from rich.text import Text

    style = {"passed": "bold green", "failed": "bold red", "too little evidence": "yellow"}.get(word, "dim")
    return Text(word, style=style)
