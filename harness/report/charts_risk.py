"""Pictures of how the returns are spread, repeat and change over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import instead, new_figure
from harness.report.series import RunSeries
from harness.report.statistics import BPS
from harness.report.study import Study
from harness.report.study.calendar import Seasonality
from harness.report.theme import LIGHT
from harness.report.timeline import Timeline
from modules.panel import FloatArray
from modules.tail import LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 61
SEASONS_DRAWN = 3


def draw_rolling(series: RunSeries, study: Study) -> Figure:
    """Sharpe ratio, volatility, beta and drawdown over a moving window."""
    figure = new_figure(10.4, 4.6)
    grid = figure.subplots(2, 2, sharex=True).ravel()
    found, time = study.rolling, Timeline(series.account.ts)
    panels = (
        ("Sharpe ratio", found.sharpe, 1.0, "net"),
        ("Volatility a year, %", found.volatility, 100.0, "net"),
        ("Beta to the mean of all symbols", found.beta, 1.0, "net"),
        ("Below the highest of the window, %", found.max_drawdown, 100.0, "loss"),
    )
    for axes, (title, values, scale, colour) in zip(grid, panels, strict=True):
        axes.set_title(title)
        if not np.isfinite(values).any():
            axes.text(0.5, 0.5, "never known", ha="center", va="center", color=LIGHT["muted"], transform=axes.transAxes)
            continue
        time.line(axes, series.account.ts, values * scale, colour, linewidth=1.0)
        axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
        time.label(axes)
    return figure


def draw_distribution(series: RunSeries, study: Study) -> Figure:
    """Net returns a bar, the losses that historical VaR states, and the normal curve of the same mean and spread."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Net return a bar, %")
    found = study.tails.shape
    if found is None:
        return instead(figure, axes, "too few bars that move")
    returns = series.account.net_return * 100.0
    reach = max(float(np.quantile(np.abs(returns - returns.mean()), 0.998)), 1e-9)
    low, high = float(returns.mean()) - reach, float(returns.mean()) + reach
    count, edges, _ = axes.hist(
        np.clip(returns, low, high), bins=BINS, range=(low, high), color=LIGHT["gross"], alpha=0.75
    )
    x = np.linspace(low, high, 161)
    deviation = found.deviation * 100.0
    curve = np.exp(-0.5 * ((x - found.mean * 100.0) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    axes.plot(x, curve * returns.size * (edges[1] - edges[0]), color=LIGHT["net"], linewidth=1.2, label="normal")
    historical = study.tails.tails[0]
    top = float(max(np.max(count), 1.0))
    for level, var, height in zip(LEVELS, historical.var, (0.62, 0.42), strict=True):
        if var is not None and -var * 100.0 >= low:
            axes.vlines(-var * 100.0, 0, top * height, color=LIGHT["loss"], linewidth=1.2)
            axes.text(
                -var * 100.0, top * height, f"VaR {level:.0%} ", color=LIGHT["loss"], fontsize=8, ha="right", va="top"
            )
    axes.legend(loc="upper right", fontsize=8)
    axes.set_yticks([])
    axes.grid(False, axis="y")
    return figure


def draw_periods(study: Study) -> Figure:
    """Compound net return by length of period: the range, nine tenths, the middle half and the median."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Net return by period, %")
    if not study.periods:
        return instead(figure, axes, "too few whole periods")
    for place, p in enumerate(study.periods):
        low, q05, q25, median, q75, q95, high = (q * 100.0 for q in p.quantiles)
        axes.vlines(place, low, high, color=LIGHT["gross"], linewidth=0.8)
        axes.vlines(place, q05, q95, color=LIGHT["gross"], linewidth=4.0)
        axes.vlines(place, q25, q75, color=LIGHT["net"], linewidth=11.0)
        axes.hlines(median, place - 0.2, place + 0.2, color=LIGHT["ink"], linewidth=1.6)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xticks(range(len(study.periods)), [p.period for p in study.periods])
    axes.set_xlim(-0.6, len(study.periods) - 0.4)
    axes.grid(False, axis="x")
    return figure


def draw_acf(study: Study) -> Figure:
    """Autocorrelations of the net return and of its square; outside the band they are not luck at 5 %."""
    figure = new_figure(10.4, 2.7)
    left, right = figure.subplots(1, 2)
    found = study.dependence
    for axes, title, values in (
        (left, "Autocorrelation of returns", found.acf),
        (right, "of squared returns", found.acf_squares),
    ):
        axes.set_title(title)
        if not values.size:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "too few bars that move", ha="center", color=LIGHT["muted"], transform=axes.transAxes)
            continue
        lags = np.arange(1, values.size + 1)
        axes.vlines(lags, 0.0, values, color=LIGHT["net"], linewidth=2.4)
        axes.axhspan(-found.band, found.band, color=LIGHT["gross"], alpha=0.2, linewidth=0)
        axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
        axes.set_xlabel("lag, bars")
        axes.margins(x=0.02)
    return figure


def draw_seasons(study: Study) -> Figure:
    """Mean net return a bar by season, with two standard errors."""
    figure = new_figure(10.4, 2.9)
    found = {s.kind: s for s in study.seasonality}
    drawn = [found[kind] for kind in ("weekday", "hour", "month", "day of month") if kind in found][:SEASONS_DRAWN]
    if not drawn:
        return instead(figure, figure.subplots(), "one season only")
    widths = [max(5, len(s.seasons)) for s in drawn]
    every = np.atleast_1d(figure.subplots(1, len(drawn), width_ratios=widths))
    for axes, one in zip(every, drawn, strict=True):
        _draw_season(axes, one)
    every[0].set_ylabel("net return, bps a bar")
    return figure


def _draw_season(axes: Axes, one: Seasonality) -> None:
    known = [s for s in one.seasons if s.mean is not None]
    means = np.array([(s.mean or 0.0) * BPS for s in known])
    errors = np.array([abs(s.mean / s.t) * BPS if s.mean and s.t else 0.0 for s in known])
    axes.set_title(one.kind.capitalize())
    places = np.arange(len(known))
    axes.bar(places, means, color=[LIGHT["gain"] if m > 0 else LIGHT["loss"] for m in means], width=0.62)
    axes.vlines(places, means - 2 * errors, means + 2 * errors, color=LIGHT["ink"], linewidth=0.9)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    step = 3 if len(known) > 14 else 1
    axes.set_xticks(places[::step], [s.name for s in known][::step], fontsize=7.5)
    axes.grid(False, axis="x")


def clipped(values: FloatArray, share: float = 0.005) -> tuple[float, float]:
    """The range of all values but the outermost `share` at each end; never empty."""
    low, high = (float(q) for q in np.quantile(values, (share, 1.0 - share)))
    return (low, high) if high > low else (low - 1e-9, high + 1e-9)
