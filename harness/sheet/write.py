"""Write a sheet: page, pictures, figures and series, each whole or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from harness.report.drawing import render
from harness.report.files import json_bytes, without_nan, write_whole
from harness.sheet.charts import charts
from harness.sheet.figures import Sheet, Subject
from harness.sheet.page import Said, render_page
from harness.sheet.warnings import notes, warnings
from modules.engine.settings import TradingSettings
from modules.panel import FloatArray


@dataclass(frozen=True)
class SheetPaths:
    """What was written, and what was said."""

    html: Path
    json: Path
    series: Path
    pngs: tuple[Path, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def write_sheet(sheet: Sheet, subject: Subject, settings: TradingSettings, out_dir: Path) -> SheetPaths:
    """Write `sheet.html` (self-contained), `sheet.json`, `series.csv` (a row a bar) and one PNG a chart into `out_dir`.

    Equal inputs give equal bytes. Nothing is written where drawing fails.
    """
    said = Said(warnings(sheet), notes(sheet, settings, subject.lockbox_start))
    drawn = {chart.name: render(chart) for chart in charts(sheet)}
    page = render_page(sheet, subject, said, {name: svg for name, (_, svg) in drawn.items()})
    figures = json_bytes(sheet_numbers(sheet, subject, said))
    out_dir.mkdir(parents=True, exist_ok=True)
    return SheetPaths(
        html=write_whole(out_dir / "sheet.html", page.encode()),
        json=write_whole(out_dir / "sheet.json", figures),
        series=write_whole(out_dir / "series.csv", series_table(sheet).write_csv().encode()),
        pngs=tuple(write_whole(out_dir / f"{name}.png", png) for name, (png, _) in drawn.items()),
        warnings=said.warnings,
        notes=said.notes,
    )


def sheet_numbers(sheet: Sheet, subject: Subject, said: Said) -> dict[str, object]:
    """The figures of the page for programs; None where a figure has no meaning. Returns and costs are fractions, a bar
    or over the horizon named."""
    m, info = sheet.material, sheet.information
    return without_nan(
        {
            "expr": sheet.expr,
            "digest": sheet.digest,
            **asdict(subject),
            "start": sheet.start,
            "end": sheet.end,
            "bars": int(m.ts.size),
            "bars_per_year": m.per_year,
            "symbols": len(m.symbols),
            "warmup_bars": sheet.warmup_bars,
            "quantiles": m.quantiles,
            "quantiles_asked": m.quantiles_asked,
            "horizons_bars": list(m.horizons),
            "reads_level": sheet.reads_level,
            "reads_future": sheet.ahead is not None,
            "without_open": sheet.without_open,
            "coverage": sheet.turnover.coverage,
            "warnings": list(said.warnings),
            "notes": list(said.notes),
            "rank_ic": [asdict(d) for d in info.by_horizon],
            "pearson_ic": [asdict(d) for d in info.pearson_by_horizon],
            "rank_ic_one_bar_later": asdict(info.one_bar_later),
            "rank_ic_calendar": {
                "columns": list(info.calendar.columns),
                "rows": dict(zip(info.calendar.rows, info.calendar.values.tolist(), strict=True)),
                "totals": dict(zip(info.calendar.rows, info.calendar.totals.tolist(), strict=True)),
            },
            "sectors": [asdict(s) for s in info.sectors],
            "quantile_returns": [asdict(q) for q in sheet.quantiles.returns],
            "spreads": [asdict(s) for s in sheet.quantiles.spreads],
            "quantile_turnover": [asdict(t) for t in sheet.turnover.by_quantile],
            "rank_autocorrelation": [asdict(a) for a in sheet.turnover.by_lag],
            "holdings": [asdict(h) for h in sheet.trading.holdings],
            "charged_bps": sheet.trading.charged_bps,
            "capital": sheet.trading.capital,
            "currency": m.currency,
            "held_share": sheet.trading.held_share,
        }
    )


def series_table(sheet: Sheet) -> pl.DataFrame:
    """What the pictures over time are drawn from, a row a bar of the signal; null where there is none."""
    m = sheet.material
    columns: dict[str, FloatArray] = {
        "rank_ic": sheet.information.rank,
        "pearson_ic": sheet.information.pearson,
        **{f"excess_{q + 1}": sheet.quantiles.excess[:, q] for q in range(m.quantiles)},
        "spread": sheet.quantiles.spread,
        "book_gross": sheet.trading.gross,
        "book_net": sheet.trading.net,
        "new_in_bottom": sheet.turnover.newcomers[:, 0],
        "new_in_top": sheet.turnover.newcomers[:, -1],
        "rank_autocorrelation": sheet.turnover.autocorrelation,
        "symbols_priced": sheet.turnover.present,
        "symbols_covered": sheet.turnover.covered,
    }
    time = pl.Series("event_time", m.ts).cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pl.DataFrame([time, *(pl.Series(n, np.asarray(v)).fill_nan(None) for n, v in columns.items())])
