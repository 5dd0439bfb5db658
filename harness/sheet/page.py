"""The page of a sheet: figures become text here, and the template puts them in place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.report.statistics import BPS
from harness.report.template import render_template
from harness.report.text import Cell, Tile, heat_cell, money, number, percent, tone
from harness.sheet.charts_information import calendar_scale
from harness.sheet.figures import Sheet, Subject
from harness.sheet.inference import Mean
from harness.sheet.information import annual

TEMPLATES = Path(__file__).parent


@dataclass(frozen=True)
class Said:
    """Words on the page: warnings that come before the figures, and how the figures were made."""

    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def render_page(sheet: Sheet, subject: Subject, said: Said, svgs: Mapping[str, str]) -> str:
    """The whole page as one string."""
    values: dict[str, Any] = {
        "sheet": sheet,
        "subject": subject,
        "said": said,
        "tiles": tiles(sheet),
        "heat": heat_rows(sheet),
        "heat_columns": sheet.information.calendar.columns,
        "ic_rows": ic_rows(sheet),
        "quantile_rows": quantile_rows(sheet),
        "holding_rows": holding_rows(sheet),
        "has_volume": sheet.material.dollar_volume is not None,
        "detail": sheet.material.detail,
        "per_year": sheet.material.per_year,
        "luck": _luck_note(subject.trials_on_data),
    }
    return render_template(TEMPLATES, "sheet.html.j2", values, svgs)


def tiles(sheet: Sheet) -> tuple[Tile, ...]:
    """The figures that a verdict hangs on."""
    ic = sheet.information.by_horizon[0]
    spread = sheet.quantiles.spreads[0]
    book = sheet.trading.holdings[0]
    per_year = sheet.material.per_year
    charged = number(sheet.trading.charged_bps, 1, " bps")
    impact = "" if book.impact is None else " + impact"
    gross, net = _yearly(book.gross.mean, per_year), _yearly(book.net.mean, per_year)
    return (
        Tile("Rank IC, mean", number(ic.mean.mean, 4), f"t = {number(ic.mean.t, 1)}, next bar", _sure(ic.mean)),
        Tile(
            "IC ratio a year", number(annual(ic.ratio, per_year)), f"positive on {percent(ic.share_positive)} of bars"
        ),
        Tile(
            "Top minus bottom a year", percent(gross), f"t = {number(book.gross.t, 1)}, before costs", _sure(book.gross)
        ),
        Tile(
            "After costs a year",
            percent(net),
            f"held 1 bar, {charged} a side{impact}",
            _caught(book.net, None if net is None else round(net, 3)),
        ),
        Tile(
            "Break-even cost",
            number(book.break_even_bps, 1, " bps"),
            f"a side; charged {charged}",
            _caught(book.gross, _over(book.break_even_bps, sheet.trading.charged_bps)),
        ),
        Tile("Turnover a year", number(book.turnover * per_year, 0, " \u00d7"), _autocorrelation_note(sheet)),
        _capacity_tile(sheet),
        Tile("Quantiles", "2", "two cannot be out of order")
        if spread.monotonicity is None
        else Tile(
            "Monotonicity",
            number(spread.monotonicity),
            f"{percent(spread.steps_up, 0)} of the steps go up",
            _caught(spread.spread, spread.monotonicity),
        ),
    )


def _sure(mean: Mean) -> str:
    return tone(mean.mean) if mean.significant else ""


def _caught(mean: Mean, value: float | None) -> str:
    """`bad` below zero, `good` above it only where the mean behind it is surely above zero."""
    return tone(value) if value is not None and (value < 0.0 or (mean.low or 0.0) > 0.0) else ""


def _over(value: float | None, bar: float) -> float | None:
    return None if value is None else value - bar


def _yearly(mean: float | None, per_year: float) -> float | None:
    return None if mean is None else mean * per_year


def _autocorrelation_note(sheet: Sheet) -> str:
    found = sheet.turnover.by_lag[0].mean
    return f"rank autocorrelation {number(found)}"


def _capacity_tile(sheet: Sheet) -> Tile:
    found = sheet.trading.holdings[0].capacity
    if found is None:
        return Tile("Capacity", "\u2013", "the data carry no volume")
    if found.half_nav is None:
        return Tile("Capacity", "\u2013", "nothing is earned before costs")
    if not sheet.trading.holdings[0].gross.significant:
        return Tile("Capacity", "\u2013", "no gross return to be sure of")
    return Tile("Capacity, half eaten", money(found.half_nav), f"all of it at {money(found.all_nav)}")


def _luck_note(trials: int) -> str:
    best = luck_t(trials)
    return "" if best is None else f"the best by luck: t = {number(best, 1)}"


def luck_t(trials: int) -> float | None:
    """|t| that the best of so many worthless looks shows by luck: the normal quantile at 1 - 1/(2n). None below two."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1.0 - 0.5 / trials) if trials > 1 else None


def heat_rows(sheet: Sheet) -> list[tuple[str, list[Cell], Cell]]:
    """Newest first: the label of the row, its cells, its mean. Hundredths of IC."""
    table = sheet.information.calendar
    scale = calendar_scale(table)
    rows = []
    for name, values, total in zip(table.rows, table.values, table.totals, strict=True):
        cells = [heat_cell(float(v), number(float(v) * 100.0, 0), scale) for v in values]
        rows.append((name, cells, heat_cell(float(total), number(float(total) * 100.0, 1), scale / math.sqrt(3.0))))
    return rows[::-1]


def ic_rows(sheet: Sheet) -> list[tuple[str, ...]]:
    """One row a horizon: the statistics of the rank IC, and mean and t of the Pearson IC."""
    rows: list[tuple[str, ...]] = []
    for rank, pearson in zip(sheet.information.by_horizon, sheet.information.pearson_by_horizon, strict=True):
        mean = rank.mean
        interval = "" if mean.low is None else f"{number(mean.low, 4)} to {number(mean.high, 4)}"
        rows.append(
            (
                str(rank.horizon_bars),
                number(mean.mean, 4),
                interval or number(None),
                number(mean.t, 2),
                number(rank.deviation, 3),
                number(rank.ratio, 3),
                percent(rank.share_positive),
                number(rank.skewness),
                number(rank.excess_kurtosis),
                number(pearson.mean.mean, 4),
                number(pearson.mean.t, 2),
            )
        )
    return rows


def quantile_rows(sheet: Sheet) -> list[tuple[str, ...]]:
    """One row a quantile: excess in bps a bar by horizon, its plain one-bar mean, and how much of it is new."""
    found = {(q.quantile, q.horizon_bars): q for q in sheet.quantiles.returns}
    turned = {(t.quantile, t.lag_bars): t.share for t in sheet.turnover.by_quantile}
    every = [abs(q.excess.mean) / q.horizon_bars * BPS for q in sheet.quantiles.returns if q.excess.mean is not None]
    digits = _digits(max(every, default=1.0))
    rows = []
    for quantile in range(1, sheet.material.quantiles + 1):
        excess = [found[quantile, h].excess for h in sheet.material.detail]
        plain = found[quantile, 1].mean
        rows.append(
            (
                str(quantile),
                number(found[quantile, 1].cells, 0),
                number(None if plain is None else plain * BPS, digits),
                *(
                    number(None if e.mean is None else e.mean / h * BPS, digits)
                    for e, h in zip(excess, sheet.material.detail, strict=True)
                ),
                *(number(e.t, 1) for e in excess),
                *(percent(turned[quantile, h], 0) for h in sheet.material.detail),
            )
        )
    return rows


def _digits(largest: float) -> int:
    """Decimals that leave the largest value two digits, 1 to 4."""
    return min(4, max(1, 1 - math.floor(math.log10(largest)))) if largest > 0.0 else 1


def holding_rows(sheet: Sheet) -> list[tuple[str, ...]]:
    """One row a holding period: returns, costs and capacity, a year."""
    per_year = sheet.material.per_year
    rows = []
    for h in sheet.trading.holdings:
        c = h.capacity
        rows.append(
            (
                str(h.bars),
                percent(_yearly(h.gross.mean, per_year)),
                number(h.turnover * per_year, 0, " \u00d7"),
                number(h.break_even_bps, 1, " bps"),
                percent(h.spread_and_commission * per_year),
                percent(h.borrow * per_year),
                percent(None if h.impact is None else h.impact * per_year),
                percent(_yearly(h.net.mean, per_year)),
                number(h.net.t, 1),
                *(
                    money(v)
                    for v in (() if c is None else (c.half_nav, c.all_nav, c.after_costs_nav, c.participation_nav))
                ),
            )
        )
    return rows
