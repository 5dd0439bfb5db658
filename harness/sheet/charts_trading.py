"""Pictures of turnover, coverage and capacity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import instead, new_figure, rolling_window
from harness.report.statistics import rolling_mean_of_known
from harness.report.text import money
from harness.report.theme import LIGHT
from harness.report.timeline import Timeline
from harness.sheet.figures import Sheet
from harness.sheet.trading import Holding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOLDING_COLOURS = ("net", "gain", "borrow")
NAV_POINTS = 160
DECADES_BELOW = 4.0


def _quarter(sheet: Sheet) -> int:
    return max(1, rolling_window(sheet.material.ts.size, sheet.material.per_year) // 4)


def draw_turnover(sheet: Sheet) -> Figure:
    """Share of the top and of the bottom quantile that is new on each bar, moving mean."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    window, time = _quarter(sheet), Timeline(sheet.material.ts)
    newcomers = sheet.turnover.newcomers
    for q, colour, label in ((0, "loss", "lowest"), (newcomers.shape[1] - 1, "gain", "highest")):
        time.line(axes, sheet.material.ts, rolling_mean_of_known(newcomers[:, q], window) * 100.0, colour, label=label)
    axes.set_ylim(bottom=0)
    axes.set_title(f"New in the quantile, %, mean of {window:,} bars")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 1.18)
    axes.legend(loc="upper left", ncols=2, fontsize=8)
    time.label(axes)
    return figure


def draw_autocorrelation(sheet: Sheet) -> Figure:
    """Rank correlation of the signal with itself one bar before, moving mean."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    window, time = _quarter(sheet), Timeline(sheet.material.ts)
    time.line(axes, sheet.material.ts, rolling_mean_of_known(sheet.turnover.autocorrelation, window), "net")
    axes.set_ylim(top=1.02)
    axes.set_title(f"Rank autocorrelation, 1 bar, mean of {window:,}")
    time.label(axes)
    return figure


def draw_coverage(sheet: Sheet) -> Figure:
    """Symbols with a price, and those of them with a value of the signal."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(10.4, 2.5)
    axes = figure.subplots()
    found, time = sheet.turnover, Timeline(sheet.material.ts)
    time.line(axes, sheet.material.ts, found.present, "gross", label="with a price", linewidth=1.4)
    time.line(axes, sheet.material.ts, found.covered, "net", label="with a value", linewidth=1.1)
    axes.set_ylim(0, float(found.present.max(initial=1.0)) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_title("Symbols by bar")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    time.label(axes)
    return figure


def draw_costs(sheet: Sheet) -> Figure:
    """Gross return of each holding period, and what costs leave of it."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    per_year = sheet.material.per_year * 100.0
    holdings = sheet.trading.holdings
    for k, h in enumerate(holdings):
        for shift, mean, colour, label in (
            (-0.2, h.gross.mean, "gross", "gross"),
            (0.2, h.net.mean, "net", "net of costs"),
        ):
            height = (mean or 0.0) * per_year
            axes.bar(k + shift, height, width=0.37, color=LIGHT[colour], label=None if k else label)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_title("Top minus bottom, % of NAV a year")
    axes.set_xticks(range(len(holdings)), [str(h.bars) for h in holdings])
    axes.set_xlabel("held for, bars")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))
    axes.legend(loc="upper left", ncols=2, fontsize=8)
    axes.grid(False, axis="x")
    return figure


def draw_capacity(sheet: Sheet) -> Figure:
    """Return a year left after impact, and after all costs, as the NAV grows."""
    from matplotlib.ticker import NullLocator

    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Left of top minus bottom, % a year, by NAV")
    drawn = [h for h in sheet.trading.holdings if h.capacity is not None and h.capacity.all_nav is not None]
    if not drawn:
        volume = sheet.material.dollar_volume is not None
        words = (
            "nothing is earned before costs,\nso there is no capacity"
            if volume
            else "the data carry no volume,\nso capacity is not known"
        )
        return instead(figure, axes, words)
    reach = math.log10(max(h.capacity.all_nav for h in drawn if h.capacity and h.capacity.all_nav)) + 0.3
    navs = np.logspace(reach - DECADES_BELOW, reach, NAV_POINTS)
    lowest = 0.0
    for h in drawn:
        colour = LIGHT[HOLDING_COLOURS[sheet.trading.holdings.index(h)]]
        left = _left(h, navs, sheet.material.per_year)
        axes.plot(navs, left, color=colour, linewidth=1.5, label=f"held {h.bars} bar{'s' if h.bars > 1 else ''}")
        axes.plot(navs, left - (h.spread_and_commission + h.borrow) * sheet.material.per_year * 100.0,
                  color=colour, linewidth=1.0, linestyle="--")  # fmt: skip
        lowest = max(lowest, float(left[0]))
    axes.set_xscale("log")
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_ylim(-0.6 * lowest, 1.28 * lowest)
    axes.set_xlabel("NAV; solid: after impact, dashed: after all costs")
    axes.legend(loc="upper right", ncols=len(drawn), fontsize=8, handlelength=1.2, columnspacing=1.0)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _at: money(value))
    return figure


def _left(h: Holding, navs: np.ndarray[tuple[int], np.dtype[np.float64]], per_year: float) -> np.ndarray:
    assert h.capacity is not None, "drawn only where there is a capacity"
    left: np.ndarray = ((h.gross.mean or 0.0) - h.capacity.impact_a_bar * np.sqrt(navs)) * per_year * 100.0
    return left
