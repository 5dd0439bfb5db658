"""The HTML page: numbers become text here, and the template puts them in place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.report import tables_beside
from harness.report import tables_book as held
from harness.report import tables_risk as risk
from harness.report.beside import Beside
from harness.report.charts import heat_scale
from harness.report.series import COST_TYPES, RunSeries
from harness.report.statistics import Statistics
from harness.report.study import Study
from harness.report.tables_execution import execution
from harness.report.template import render_template
from harness.report.text import Cell, Tile, figure, heat_cell, number, percent, tone
from harness.report.words import Said
from modules.manifest import Manifest
from modules.panel import iso

TEMPLATES = Path(__file__).parent
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def render_page(
    manifest: Manifest,
    series: RunSeries,
    stats: Statistics,
    study: Study,
    beside: Beside,
    said: Said,
    trials_count: int,
    svgs: Mapping[str, str],
) -> str:
    """The whole page as one string; every value from the run is escaped by the template."""
    values: dict[str, Any] = {
        "manifest": manifest,
        "task": manifest.task,
        "signal": signal_text(manifest),
        "start": iso(manifest.task.start_ns),
        "end": iso(manifest.task.end_ns),
        "stats": stats,
        "series": series,
        "said": said,
        "trials": trials_count,
        "tiles": tiles(series, stats, trials_count),
        "months": MONTHS,
        "heat": heat_rows(stats),
        "cost_types": COST_TYPES,
        "config": config_text(manifest),
        "study": study,
        **study_tables(series, study),
        "execution_tables": execution(series.execution),
        "gap_tables": tables_beside.gap(beside),
        "capacity_tables": tables_beside.capacity(beside),
        "cutoff_tables": tables_beside.cutoff(beside, series),
        "metric_rows": [
            (s.stage, k, figure(v))
            for s in manifest.stages
            for k, v in sorted(s.metrics.items())
            # The table of quality rules above has those that fired; here the silent ones would only hide the rest.
            if not (v == 0 and k.startswith(("flagged_", "repaired_", "dropped_")))
        ],
    }
    return render_template(TEMPLATES, "page.html.j2", values, svgs)


def study_tables(series: RunSeries, study: Study) -> dict[str, Any]:
    """What the sections below the headline are made of."""
    own = risk.attribution("Factors of the run's own bars", study.own)
    given = [] if study.given is None else [risk.attribution("Given factors", study.given)]
    return {
        "tables": {
            "losses": risk.losses(study.tails),
            "coverage": risk.coverage(study.tails),
            "shape": risk.shape(study.tails),
            "periods": risk.periods(study),
            "drawdowns": risk.drawdowns(study),
            "years": risk.years(study),
            "seasons": risk.seasons(study),
            "ljung_box": risk.ljung_box(study),
            "roots": risk.roots(study),
            "beta": risk.beta(study),
            "trips": held.trip_figures(study),
            "extremes": held.best_and_worst(series, study),
            "exposure": held.exposure(study),
            "holdings": held.holdings(study),
        },
        "attributions": [*given, own],
        "heats": held.heat_maps(study),
        "correlations": held.correlations(study),
    }


def signal_text(manifest: Manifest) -> str:
    """The expression that was run."""
    if manifest.task.signal is not None:
        return manifest.task.signal
    return str(manifest.stage("feature").settings.get("expr", manifest.stage("feature").module))


def tiles(series: RunSeries, stats: Statistics, trials_count: int) -> tuple[Tile, ...]:
    """The headline figures."""
    net, gross = stats.net, stats.gross
    costs = sum(stats.cost_bps_per_year.values())
    luck = "" if stats.luck_sharpe is None else f"luck alone would show {number(stats.luck_sharpe)}"
    return (
        Tile("Sharpe ratio, net", number(net.sharpe), f"gross {number(gross.sharpe)}", tone(net.sharpe)),
        Tile(
            "Return a year, net",
            percent(net.annual_return),
            f"gross {percent(gross.annual_return)}",
            tone(net.annual_return),
        ),
        Tile("Volatility a year", percent(net.volatility), f"{stats.years:.1f} years, {series.symbols} symbols"),
        Tile("Max drawdown, net", percent(net.max_drawdown), f"longest {net.max_drawdown_bars:,} bars"),
        Tile("Turnover a year", number(stats.turnover_per_year, 1, " \u00d7"), f"{series.fills:,} fills"),
        Tile("Costs a year", number(costs, 0, " bps"), "of NAV"),
        Tile("Rank IC, mean", number(stats.ic_mean, 4), f"t = {number(stats.ic_t, 1)}", tone(stats.ic_mean)),
        Tile("Trials so far", f"{trials_count:,}", luck),
    )


def heat_rows(stats: Statistics) -> list[tuple[int, list[Cell], Cell]]:
    """Newest year first: the year, its twelve cells, its total."""
    scale = heat_scale(stats.months.months)
    rows = []
    for year, months, total in zip(stats.months.years, stats.months.months, stats.months.totals, strict=True):
        rows.append((year, [_month(float(v), scale) for v in months], _month(float(total), scale * math.sqrt(12))))
    return rows[::-1]


def _month(value: float, scale: float) -> Cell:
    return heat_cell(value, number(value * 100, 1), scale)


def config_text(manifest: Manifest) -> str:
    """The exact configuration as YAML: the task, and every module's settings in force."""
    task = manifest.task.model_dump(mode="json")
    task["period"] = {"start": iso(manifest.task.start_ns), "end": iso(manifest.task.end_ns)}
    settings = {f"{s.stage}/{s.module}": dict(s.settings) for s in manifest.stages}
    return yaml.safe_dump({"task": task, "settings": settings}, sort_keys=False, allow_unicode=True, width=100)
