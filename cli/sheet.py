"""Make the factor sheet of a signal, and count it: whoever reads a sheet has looked at the data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from cli.session import Session
    from harness.sheet import Sheet, SheetPaths, Subject
    from modules.datastore import DataVersion
    from modules.signal import Node


@dataclass(frozen=True)
class Made:
    """A sheet, whose it is, and where it lies."""

    sheet: Sheet
    subject: Subject
    paths: SheetPaths


def make(session: Session, node: Node, data: str | None, quantiles: int | None, out_dir: Path | None) -> Made:
    """Compute and write the sheet under fills and costs of the backtest in force; one trial per signal and data."""
    from cli.barsource import cleaned
    from harness.sheet import make_sheet, write_sheet
    from modules.engine.settings import TradingSettings
    from modules.registry import load_module

    settings = load_module("backtest", "bars").settings
    assert isinstance(settings, TradingSettings), "backtest/bars trades"
    source = cleaned(session, data)
    sheet = make_sheet(
        node,
        source.bars,
        source.instruments,
        settings,
        start_ns=source.manifest.task.start_ns,
        quantile_count=quantiles or int(settings.model_dump()["quantiles"]),
    )
    subject = _counted(session, source.version, sheet)
    target = out_dir or session.workspace.reports / f"sheet-{source.version.name}-{sheet.digest[:12]}"
    return Made(sheet, subject, write_sheet(sheet, subject, settings, target))


def _counted(session: Session, version: DataVersion, sheet: Sheet) -> Subject:
    """Record the look unless this signal's sheet on this data was looked at before, and say how many there were."""
    from harness.sheet import Subject
    from modules.panel import iso
    from traces.events import TrialRecorded
    from traces.reader import read

    trial_id = f"sheet-{version.digest[:16]}-{sheet.digest[:16]}"
    trials = [r.event for r in read(session.workspace.ledger) if isinstance(r.event, TrialRecorded)]
    if trial_id not in {t.trial_id for t in trials}:
        trial = TrialRecorded(trial_id=trial_id, family="screen", subject=sheet.expr, data_digest=version.digest)
        session.emit(trial)
        trials.append(trial)
    return Subject(
        data=version.name,
        data_digest=version.digest,
        lockbox_start=iso(version.lockbox_start_ns),
        trials=len(trials),
        trials_on_data=sum(t.data_digest == version.digest for t in trials),
    )


def summary(made: Made) -> dict[str, object]:
    """The headline figures and where the rest lies."""
    sheet, book = made.sheet, made.sheet.trading.holdings[0]
    ic, per_year = sheet.information.by_horizon[0], sheet.material.per_year
    return {
        "expr": sheet.expr,
        "digest": sheet.digest,
        "data": made.subject.data,
        "start": sheet.start,
        "end": sheet.end,
        "bars": int(sheet.material.ts.size),
        "symbols": len(sheet.material.symbols),
        "quantiles": sheet.material.quantiles,
        "rank_ic": ic.mean.mean,
        "rank_ic_t": ic.mean.t,
        "gross_year": None if book.gross.mean is None else book.gross.mean * per_year,
        "net_year": None if book.net.mean is None else book.net.mean * per_year,
        "break_even_bps": book.break_even_bps,
        "turnover_year": book.turnover * per_year,
        "capacity_half_nav": None if book.capacity is None else book.capacity.half_nav,
        "trials_on_data": made.subject.trials_on_data,
        "warnings": list(made.paths.warnings),
        "html": made.paths.html,
        "json": made.paths.json,
        "series": made.paths.series,
        "pngs": list(made.paths.pngs),
    }


def show(out: Console, made: Made) -> None:
    """Warnings on stderr, the headline figures and the page's path on stdout."""
    from cli.output import stderr
    from cli.present import text

    for warning in made.paths.warnings:
        stderr().print(f"warning: {warning}", markup=False, soft_wrap=True, style="yellow")
    left_out = ("digest", "warnings", "json", "series", "pngs", "html")
    for name, value in summary(made).items():
        if name not in left_out:
            out.print(f"{name.replace('_', ' '):<18}  {text(value)}", markup=False, soft_wrap=True)
    out.print(str(made.paths.html), soft_wrap=True)
