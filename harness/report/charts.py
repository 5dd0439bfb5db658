"""The pictures of a run's report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.report import charts_beside
from harness.report import charts_book as held
from harness.report import charts_risk as risk
from harness.report.beside import Beside
from harness.report.drawing import Chart, instead, new_figure, rolling_window, thin
from harness.report.series import COST_TYPES, RunSeries
from harness.report.statistics import BPS, Statistics, drawdown, equity, rolling_mean
from harness.report.study import Study
from harness.report.theme import LIGHT
from harness.report.timeline import Timeline
from modules.panel import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def charts(series: RunSeries, stats: Statistics, study: Study, beside: Beside) -> tuple[Chart, ...]:
    """The pictures of one run, in the order of the page."""
    return (
        Chart("equity", "Growth of 1 and drawdown, gross and net of costs", lambda: draw_equity(series)),
        Chart("months", "Net return by month, a row a year", lambda: draw_months(stats), inline=False),
        Chart("ic", "Rolling mean of the information coefficient", lambda: draw_ic(series, stats)),
        Chart("quantiles", "Mean next-bar return by quantile of the signal", lambda: draw_quantiles(series)),
        Chart("turnover", "Turnover, rolling mean", lambda: draw_turnover(series, stats)),
        Chart("costs", "Costs by year and type", lambda: draw_costs(series)),
        *charts_beside.charts(beside),
        Chart(
            "distribution", "Net returns of the bars and value at risk", lambda: risk.draw_distribution(series, study)
        ),
        Chart("periods", "Quantiles of the net return by length of period", lambda: risk.draw_periods(study)),
        Chart(
            "rolling", "Sharpe ratio, volatility, beta, drawdown over time", lambda: risk.draw_rolling(series, study)
        ),
        Chart("seasons", "Mean net return by season", lambda: risk.draw_seasons(study)),
        Chart("acf", "Autocorrelations of returns and their squares", lambda: risk.draw_acf(study)),
        Chart("attribution", "Mean net return a year by factor", lambda: held.draw_attribution(study)),
        Chart("trips", "Returns of round trips", lambda: held.draw_trips(study)),
        Chart("held", "How long round trips lasted", lambda: held.draw_held(study)),
        Chart("exposure", "Long, short and net exposure, and positions", lambda: held.draw_exposure(series, study)),
        Chart("composition", "Composition of the book over time", lambda: held.draw_composition(series, study)),
        Chart("heat", "Trading and returns by calendar", lambda: held.draw_heat(study), inline=False),
        Chart("correlation", "Correlations of bar returns", lambda: held.draw_correlation(study), inline=False),
    )


def draw_equity(series: RunSeries) -> Figure:
    """Growth of 1 on a log scale where it spans enough, above the drawdown of the net curve."""
    account = series.account
    figure = new_figure(10.4, 4.6)
    top, low = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    time = Timeline(account.ts)
    for name, returns, width in (("gross", account.gross_return, 1.1), ("net", account.net_return, 1.4)):
        curve = equity(returns)
        time.line(top, account.ts, curve, name, label=f"{name} of costs" if name == "net" else "gross", linewidth=width)
        time.line(low, account.ts, drawdown(returns) * 100, name, linewidth=0.7)
    lowest = min(float(equity(r).min()) for r in (account.gross_return, account.net_return))
    highest = max(float(equity(r).max()) for r in (account.gross_return, account.net_return))
    if lowest > 0 and highest / lowest > 4:
        from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

        top.set_yscale("log")
        top.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        top.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        top.yaxis.set_minor_locator(NullLocator())
    top.axhline(1.0, color=LIGHT["muted"], linewidth=0.8)
    top.set_title("Growth of 1")
    # Beside the title, above the axes: inside, it would lie on a curve that starts at 1.
    top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    x, y = thin(account.ts, drawdown(account.net_return) * 100)
    low.fill_between(time.places(x), y, 0, color=LIGHT["net"], alpha=0.18, linewidth=0)
    low.set_title("Drawdown, %")
    time.label(low)
    return figure


def draw_months(stats: Statistics) -> Figure:
    """The monthly heat map as a picture; the page shows it as a table."""
    from matplotlib.colors import LinearSegmentedColormap

    table = stats.months
    figure = new_figure(8.6, 0.9 + 0.24 * len(table.years))
    axes = figure.subplots()
    scale = heat_scale(table.months)
    colours = LinearSegmentedColormap.from_list("cws", [LIGHT["loss"], LIGHT["paper"], LIGHT["gain"]])
    axes.imshow(table.months * 100, cmap=colours, vmin=-scale * 100, vmax=scale * 100, aspect="auto")
    axes.set_xticks(range(12), ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
    axes.set_yticks(range(len(table.years)), [str(y) for y in table.years])
    axes.grid(False)
    for row, col in np.argwhere(np.isfinite(table.months)):
        value = table.months[row, col] * 100
        axes.text(col, row, f"{value:.1f}", ha="center", va="center", fontsize=7.5)
    axes.set_title("Net return by month, %")
    return figure


def heat_scale(months: FloatArray) -> float:
    """Return at which the heat map's colour is full: the 95th percentile of the sizes, at least 0.1 %."""
    sizes = np.abs(months[np.isfinite(months)])
    return max(float(np.quantile(sizes, 0.95)) if sizes.size else 0.0, 0.001)


def draw_ic(series: RunSeries, stats: Statistics) -> Figure:
    """Rolling mean IC; inside the band it cannot be told from zero (two standard errors)."""
    figure = new_figure(6.2, 3.0)
    axes = figure.subplots()
    if series.ic.size < 2:
        axes.set_title("Rank IC")
        return instead(figure, axes, "fewer than two bars\nhave an IC")
    window = rolling_window(series.ic.size, stats.bars_per_year)
    time = Timeline(series.ic_ts)
    time.line(axes, series.ic_ts, rolling_mean(series.ic, window), "net")
    band = 2 * float(series.ic.std(ddof=1)) / math.sqrt(window)
    axes.axhspan(-band, band, color=LIGHT["gross"], alpha=0.16, linewidth=0)
    axes.axhline(float(series.ic.mean()), color=LIGHT["gain" if series.ic.mean() > 0 else "loss"], linewidth=1)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_title(f"Rank IC, mean of {window} bars")
    time.label(axes)
    return figure


def draw_quantiles(series: RunSeries) -> Figure:
    """Mean next-bar return of each signal quantile, in basis points."""
    figure = new_figure(4.2, 3.0)
    axes = figure.subplots()
    axes.set_title("Next-bar return by quantile, bps")
    if not series.quantiles:
        return instead(figure, axes, f"{series.symbols} symbols are too few\nto sort into quantiles")
    heights = [q.mean_return * BPS for q in series.quantiles]
    colours = [LIGHT["gain"] if h > 0 else LIGHT["loss"] for h in heights]
    axes.bar([str(q.quantile) for q in series.quantiles], heights, color=colours, width=0.62)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xlabel("signal quantile (1 = lowest)")
    axes.grid(False, axis="x")
    return figure


def draw_turnover(series: RunSeries, stats: Statistics) -> Figure:
    """Share of NAV traded a bar, rolling mean over a quarter of a year."""
    account = series.account
    figure = new_figure(6.2, 3.0)
    axes = figure.subplots()
    window = max(1, rolling_window(account.ts.size, stats.bars_per_year) // 4)
    time = Timeline(account.ts)
    time.line(axes, account.ts, rolling_mean(account.turnover, window) * 100, "net")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Turnover, % of NAV a bar, mean of {window} bars")
    time.label(axes)
    return figure


def draw_costs(series: RunSeries) -> Figure:
    """Costs by calendar year, stacked by type, in basis points of NAV."""
    account = series.account
    figure = new_figure(4.2, 3.0)
    axes = figure.subplots()
    before = np.concatenate([account.nav[:1], account.nav[:-1]])
    year = account.ts.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    years = np.unique(year)
    floor = np.zeros(years.size)
    for kind in COST_TYPES:
        share = account.costs[kind] / before * BPS
        heights = np.array([share[year == y].sum() for y in years])
        if heights.any():
            axes.bar(years, heights, bottom=floor, color=LIGHT[kind], width=0.8, label=kind)
            floor = floor + heights
    axes.set_title("Costs by year, bps of NAV")
    axes.grid(False, axis="x")
    axes.set_xticks(years[:: max(1, math.ceil(years.size / 6))])
    margin = 1.6 if years.size < 4 else 0.6  # a single year is a bar, not a wall
    axes.set_xlim(int(years[0]) - margin, int(years[-1]) + margin)
    if floor.any():
        axes.set_ylim(top=float(floor.max()) * 1.22)
        axes.legend(loc="upper left", ncols=len(COST_TYPES), handlelength=0.9, columnspacing=0.9, fontsize=8)
    return figure
