"""The HTML page: numbers become text here, and the template puts them in place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from harness.report.charts import heat_scale
from harness.report.series import COST_TYPES, RunSeries
from harness.report.statistics import Statistics
from harness.report.theme import DARK, LIGHT, variables
from modules.manifest import Manifest
from modules.panel import iso

TEMPLATES = Path(__file__).parent
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DASH = "\u2013"
MINUS = "\u2212"


@dataclass(frozen=True)
class Tile:
    """One headline figure; `tone` is `good`, `bad` or empty."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of the heat map: its text, and how strongly (0 to 100) to colour it in which tone."""

    text: str
    strength: int
    tone: str


@dataclass(frozen=True)
class Said:
    """Words on the page: warnings that come before the figures, and notes of the modules."""

    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def number(value: float | None, digits: int = 2, unit: str = "", signed: bool = False) -> str:
    """A figure for reading: a true minus sign, thousands, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{digits}f}{unit}"
    rounded_zero = float(f"{abs(value):.{digits}f}") == 0.0
    if value < 0 and not rounded_zero:
        return MINUS + text
    return ("+" if signed and not rounded_zero else "") + text


def figure(value: float | None) -> str:
    """A figure of unknown unit: whole numbers whole, others with four significant digits."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == int(value):
        return number(value, 0)
    if abs(value) < 1e-6:
        return f"{value:.1e}".replace("-", MINUS)
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return number(value, digits)


def percent(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A fraction as percent."""
    return number(None if value is None else value * 100, digits, " %", signed)


def render_page(
    manifest: Manifest,
    series: RunSeries,
    stats: Statistics,
    said: Said,
    trials_count: int,
    svgs: Mapping[str, str],
) -> str:
    """The whole page as one string; every value from the run is escaped by the template."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, figure=figure, percent=percent, short=lambda digest: digest[:12])
    style = (TEMPLATES / "page.css").read_text()
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
        "svgs": {name: Markup(svg) for name, svg in svgs.items()},  # drawn by us; no run text is unescaped in it
        "style": Markup(style.replace("/*light*/", variables(LIGHT)).replace("/*dark*/", variables(DARK))),
        "metric_rows": [
            (s.stage, k, figure(v))
            for s in manifest.stages
            for k, v in sorted(s.metrics.items())
            # The table of quality rules above has those that fired; here the silent ones would only hide the rest.
            if not (v == 0 and k.startswith(("flagged_", "repaired_", "dropped_")))
        ],
    }
    return environment.get_template("page.html.j2").render(values)


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
        Tile("Sharpe ratio, net", number(net.sharpe), f"gross {number(gross.sharpe)}", _tone(net.sharpe)),
        Tile(
            "Return a year, net",
            percent(net.annual_return),
            f"gross {percent(gross.annual_return)}",
            _tone(net.annual_return),
        ),
        Tile("Volatility a year", percent(net.volatility), f"{stats.years:.1f} years, {series.symbols} symbols"),
        Tile("Max drawdown, net", percent(net.max_drawdown), f"longest {net.max_drawdown_bars:,} bars"),
        Tile("Turnover a year", number(stats.turnover_per_year, 1, " \u00d7"), f"{series.fills:,} fills"),
        Tile("Costs a year", number(costs, 0, " bps"), "of NAV"),
        Tile("Rank IC, mean", number(stats.ic_mean, 4), f"t = {number(stats.ic_t, 1)}", _tone(stats.ic_mean)),
        Tile("Trials so far", f"{trials_count:,}", luck),
    )


def _tone(value: float | None) -> str:
    if value is None or value == 0:
        return ""
    return "good" if value > 0 else "bad"


def heat_rows(stats: Statistics) -> list[tuple[int, list[Cell], Cell]]:
    """Newest year first: the year, its twelve cells, its total."""
    scale = heat_scale(stats.months.months)
    rows = []
    for year, months, total in zip(stats.months.years, stats.months.months, stats.months.totals, strict=True):
        rows.append((year, [_cell(float(v), scale) for v in months], _cell(float(total), scale * math.sqrt(12))))
    return rows[::-1]


def _cell(value: float, scale: float) -> Cell:
    if not np.isfinite(value):
        return Cell("", 0, "")
    strength = round(min(abs(value) / scale, 1.0) * 62)
    return Cell(number(value * 100, 1), strength, "gain" if value > 0 else "loss")


def config_text(manifest: Manifest) -> str:
    """The exact configuration as YAML: the task, and every module's settings in force."""
    task = manifest.task.model_dump(mode="json")
    task["period"] = {"start": iso(manifest.task.start_ns), "end": iso(manifest.task.end_ns)}
    settings = {f"{s.stage}/{s.module}": dict(s.settings) for s in manifest.stages}
    return yaml.safe_dump({"task": task, "settings": settings}, sort_keys=False, allow_unicode=True, width=100)
