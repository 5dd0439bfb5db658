"""Tables of trades and holdings, and what other commands found of the run: figures become text here."""

from __future__ import annotations

import numpy as np

from harness.report.series import RunSeries
from harness.report.study import Study
from harness.report.study.trips import Trips, extremes
from harness.report.text import Cell, Heat, Table, Toned, heat_cell, money, number, percent, toned
from modules.panel import iso

SHOWN_TRIPS = 5


def trip_figures(study: Study) -> Table:
    """All, longs and shorts."""
    return Table(
        "Round trips",
        (
            "Side",
            "Ended",
            "Open",
            "Won",
            "Mean",
            "Median",
            "Mean win",
            "Mean loss",
            "Win / loss",
            "Profit factor",
            "Bars held",
            "Profit",
        ),
        tuple(
            (
                t.side.capitalize(),
                f"{t.count:,}",
                f"{t.still_open:,}",
                percent(t.won),
                percent(t.mean_return, 2),
                percent(t.median_return, 2),
                _signed(t.mean_win),
                _signed(t.mean_loss),
                number(t.payoff),
                number(t.profit_factor),
                number(t.median_bars, 0),
                toned(t.profit, _signed(t.profit)),
            )
            for t in study.trip_figures
        ),
        "From no position to none; a fill that turns a position round ends one trip and begins the next. Profit is "
        "after spread, commission and impact, before borrow and funding; mean and median are of profit over what was "
        "put in.",
    )


def _signed(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return ("\u2212" if value < 0 else "") + money(abs(value))


def best_and_worst(series: RunSeries, study: Study) -> Table:
    """The trips that made and cost most."""
    trips = study.trips
    heads = ("Symbol", "Side", "From", "To", "Bars", "Return", "Profit")
    chosen = np.concatenate(extremes(trips, SHOWN_TRIPS)).tolist()
    return Table("Best and worst round trips", heads, tuple(_trip(series, trips, k) for k in chosen))


def _trip(series: RunSeries, trips: Trips, k: int) -> tuple[str | Toned, ...]:
    profit = float(trips.profit[k])
    return (
        series.book.symbols[trips.symbol[k]],
        "long" if trips.side[k] > 0 else "short",
        iso(int(trips.opened[k])),
        iso(int(trips.closed[k])),
        f"{trips.bars[k]:,}",
        percent(float(trips.returns[k]), 2),
        toned(profit, _signed(profit)),
    )


def holdings(study: Study) -> Table:
    """The symbols that were most of the book."""
    return Table(
        "Largest holdings over the run",
        ("Symbol", "Sector", "Mean size", "Mean weight", "Held", "Profit"),
        tuple(
            (
                h.symbol,
                h.sector,
                percent(h.mean_size, 2),
                percent(h.mean_weight, 2),
                percent(h.held_share),
                toned(h.profit, _signed(h.profit)),
            )
            for h in study.holdings
        ),
        "Size without its sign, weight with it, both as shares of NAV; held: share of the bars.",
    )


def exposure(study: Study) -> Table:
    """Means and extremes."""
    e = study.exposure
    rows = [
        (name, percent(float(v.mean())), percent(float(v.min())), percent(float(v.max())))
        for name, v in (
            ("Long", e.long),
            ("Short", e.short),
            ("Net", e.net),
            ("Gross", e.gross),
            ("Largest position", e.largest),
        )
    ]
    rows += [
        (name, number(float(v.mean()), 1), number(float(v.min()), 1), number(float(v.max()), 1))
        for name, v in (("Longs", e.longs), ("Shorts", e.shorts), ("Effective positions", e.effective))
    ]
    return Table(
        "Exposure",
        ("", "Mean", "Lowest", "Highest"),
        tuple(rows),
        "Effective positions: names of one size that would be as concentrated (one over the sum of squared shares).",
    )


def heat_maps(study: Study) -> tuple[Heat, Heat]:
    """Trading and return by weekday and month or hour."""
    found = study.heat

    def cells(values: np.ndarray) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        known = np.abs(values[np.isfinite(values)])
        scale = max(float(np.quantile(known, 0.95)) if known.size else 0.0, 1e-12)
        return tuple(
            (day, tuple(heat_cell(float(v), number(float(v), 1), scale) for v in row))
            for day, row in zip(found.rows, values, strict=True)
        )

    return (
        Heat(f"Share of all traded by weekday and {found.across}, %", found.columns, cells(found.traded * 1e2)),
        Heat(f"Mean net return by weekday and {found.across}, bps a bar", found.columns, cells(found.net * 1e4)),
    )


def correlations(study: Study) -> Heat:
    """The matrix."""
    found = study.correlation
    short = tuple(n.split(".")[0] for n in found.names)
    few = (
        ""
        if found.symbols <= len(found.names) - 1
        else f" The {len(found.names) - 1} largest of {found.symbols} are shown."
    )
    mean = "" if found.mean is None else f" Mean over all pairs of symbols: {number(found.mean)}."
    return Heat(
        "Correlation of bar returns",
        short,
        tuple(
            (name, tuple(heat_cell(float(v), number(float(v)), 1.0) for v in row))
            for name, row in zip(short, found.values, strict=True)
        ),
        f"Of the run's net return and the symbols that were most of its book.{few}{mean}",
    )
