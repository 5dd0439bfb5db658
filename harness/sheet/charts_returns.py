"""Pictures of what the quantiles earned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import instead, new_figure, rolling_window
from harness.report.statistics import BPS, rolling_mean
from harness.report.theme import LIGHT
from harness.report.timeline import Timeline
from harness.sheet.charts_information import MINIMUM_POINTS, draw_by_horizon
from harness.sheet.figures import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HORIZON_COLOURS = ("net", "spread", "gross")
TAIL = 0.01


def quantile_colour(quantile: int, quantiles: int) -> str:
    """Bottom red, top green, those between grey. `quantile` counts from 0."""
    return "loss" if quantile == 0 else "gain" if quantile == quantiles - 1 else "gross"


def draw_quantiles(sheet: Sheet) -> Figure:
    """Mean return of each quantile over that of all, a bar, for the horizons of the tables."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    horizons = sheet.material.detail
    width = 0.8 / len(horizons)
    for k, horizon in enumerate(horizons):
        found = [q for q in sheet.quantiles.returns if q.horizon_bars == horizon]
        places = np.arange(len(found)) + 1.0 + (k - (len(horizons) - 1) / 2.0) * width
        heights = np.array([math.nan if q.excess.mean is None else q.excess.mean for q in found]) / horizon * BPS
        colour = LIGHT[HORIZON_COLOURS[k]]
        axes.bar(places, heights, width=width * 0.92, color=colour, label=f"{horizon} bar{'s' if horizon > 1 else ''}")
        for place, q in zip(places, found, strict=True):
            if q.excess.low is not None and q.excess.high is not None:
                ends = np.array([q.excess.low, q.excess.high]) / horizon * BPS
                axes.plot([place, place], ends, color=LIGHT["muted"], linewidth=0.9)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_title("Return over all symbols, bps a bar")
    axes.set_xticks(np.arange(sheet.material.quantiles) + 1)
    axes.set_xlabel("signal quantile (1 = lowest); 95 % interval")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))
    axes.legend(loc="upper left", ncols=len(horizons), handlelength=0.9, columnspacing=1.0, fontsize=8)
    axes.grid(False, axis="x")
    return figure


def draw_violin(sheet: Sheet) -> Figure:
    """How the one-bar return of each quantile over all is distributed, its outermost hundredths cut off."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Its distribution over bars, bps, 1 bar")
    drawn = 0
    for q in range(sheet.material.quantiles):
        values = sheet.quantiles.excess[:, q]
        values = np.sort(values[~np.isnan(values)]) * BPS
        cut = math.floor(values.size * TAIL)
        values = values[cut : values.size - cut]
        if values.size < MINIMUM_POINTS or values[0] == values[-1]:
            continue
        parts = axes.violinplot(values, [q + 1.0], widths=0.82, showextrema=False, points=80)
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=LIGHT[quantile_colour(q, sheet.material.quantiles)], alpha=0.75, linewidth=0)
        low, middle, high = (float(np.quantile(values, level)) for level in (0.25, 0.5, 0.75))
        axes.plot([q + 1.0] * 2, [low, high], color=LIGHT["ink"], linewidth=2.4)
        axes.plot([q + 1.0], [middle], marker="o", markersize=4.6, color=LIGHT["paper"], markeredgecolor=LIGHT["ink"])
        drawn += 1
    if not drawn:
        return instead(figure, axes, "too few different returns\nto show how they spread")
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xticks(np.arange(sheet.material.quantiles) + 1)
    axes.set_xlabel("signal quantile; line: middle half, dot: median")
    axes.grid(False, axis="x")
    return figure


def draw_cumulative(sheet: Sheet) -> Figure:
    """Growth of each quantile against that of all symbols, rebalanced every bar, before costs."""
    figure = new_figure(10.4, 3.7)
    axes = figure.subplots()
    m = sheet.material
    time = Timeline(m.ts)
    for q in range(m.quantiles):
        excess = np.nan_to_num(sheet.quantiles.excess[:, q])
        curve = np.cumprod(1.0 + excess, dtype=np.float64)
        colour = quantile_colour(q, m.quantiles)
        middle = colour == "gross"
        time.line(axes, m.ts, curve, colour, linewidth=0.9 if middle else 1.6, alpha=0.8 if middle else 1.0)
        label = f"{q + 1} low" if q == 0 else f"{q + 1} high"
        end = time.places(m.ts[-1:])[0]
        if not middle:
            axes.annotate(
                label, (end, float(curve[-1])), xytext=(5, 0), textcoords="offset points", va="center",
                color=LIGHT[colour], fontsize=8.5,
            )  # fmt: skip
    log_scale(axes)
    axes.axhline(1.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_title("Growth of 1 over all symbols, by quantile, rebalanced every bar, before costs")
    time.label(axes)
    return figure


def log_scale(axes: Axes) -> None:
    """Logarithmic where the lines span a factor of three, with labels that are plain numbers."""
    low, high = axes.get_ylim()
    curves = np.concatenate([np.asarray(found.get_ydata(), dtype=np.float64) for found in axes.get_lines()])
    if float(curves.min()) <= 0.0 or float(curves.max() / curves.min()) < 3.0:
        axes.set_ylim(low, high)
        return
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("log")
    span = float(curves.max() / curves.min())
    subs = (1.0,) if span > 200.0 else (1.0, 2.0, 5.0) if span > 8.0 else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=subs))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def draw_spread(sheet: Sheet) -> Figure:
    """Moving mean of top minus bottom with the band of luck, and its running sum before and after costs."""
    figure = new_figure(10.4, 4.4)
    top, low = figure.subplots(2, 1, sharex=True, height_ratios=[1.15, 1])
    trading, ts = sheet.trading, sheet.material.ts
    time, alive = Timeline(ts), ~np.isnan(trading.gross)
    gross, net, when = trading.gross[alive] * 100.0, trading.net[alive] * 100.0, ts[alive]
    for values, colour, label in ((gross, "gross", "gross"), (net, "net", "net of costs")):
        time.line(top, when, np.cumsum(values), colour, label=label, linewidth=1.5)
    top.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    top.set_title("Top minus bottom, running sum, % of NAV, held one bar")
    top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    window = rolling_window(int(alive.sum()), sheet.material.per_year)
    bps = gross * 100.0
    band = 2.0 * float(bps.std(ddof=1)) / math.sqrt(window)
    low.axhspan(-band, band, color=LIGHT["gross"], alpha=0.16, linewidth=0)
    time.line(low, when, rolling_mean(bps, window), "net", linewidth=1.3)
    low.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    low.set_title(f"Top minus bottom, gross, bps a bar, mean of {window:,} bars")
    time.label(low)
    return figure


def draw_decay_spread(sheet: Sheet) -> Figure:
    """Top minus bottom over growing horizons, a bar, with intervals for overlapping returns."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Top minus bottom by horizon, bps a bar")
    found = sheet.quantiles.spreads
    values = [
        tuple(math.nan if v is None else v / s.horizon_bars * BPS for v in (s.spread.mean, s.spread.low, s.spread.high))
        for s in found
    ]
    draw_by_horizon(axes, [s.horizon_bars for s in found], [(a, b, c) for a, b, c in values])
    return figure
