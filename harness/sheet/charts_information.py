"""Pictures of the information coefficients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.report.drawing import instead, new_figure, rolling_window
from harness.report.statistics import rolling_mean
from harness.report.theme import LIGHT
from harness.report.timeline import Timeline
from harness.sheet.figures import Sheet
from harness.sheet.information import Calendar, normal_scores
from modules.panel import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MINIMUM_POINTS = 20
BINS = 41
QQ_POINTS = 250


def draw_ic(sheet: Sheet) -> Figure:
    """The rank IC of every bar, and below, on a scale of their own, moving means of rank and Pearson IC."""
    figure = new_figure(10.4, 4.6)
    top, low = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.5])
    info, ts = sheet.information, sheet.material.ts
    known = ~np.isnan(info.rank)
    time = Timeline(ts)
    time.bars(top, ts[known], info.rank[known], "gross")
    top.set_ylim(-1.02, 1.02)
    top.set_title("Rank IC, every bar")
    window = rolling_window(int(known.sum()), sheet.material.per_year)
    rank = info.rank[known]
    band = 2.0 * float(rank.std(ddof=1)) / math.sqrt(window)
    low.axhspan(-band, band, color=LIGHT["gross"], alpha=0.16, linewidth=0)
    both = known & ~np.isnan(info.pearson)
    time.line(low, ts[both], rolling_mean(info.pearson[both], window), "impact", label="Pearson", linewidth=1.1)
    time.line(low, ts[known], rolling_mean(rank, window), "net", label="rank", linewidth=1.5)
    low.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    low.set_title(f"IC, mean of {window:,} bars")
    low.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    time.label(low)
    return figure


def draw_histogram(sheet: Sheet) -> Figure:
    """How often each rank IC occurred, with the normal density of the same mean and deviation."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Rank IC, share of bars in % by value")
    known = _known(sheet.information.rank)
    spread = float(known.std(ddof=1)) if known.size > 1 else 0.0
    if known.size < MINIMUM_POINTS or spread == 0.0:
        return instead(figure, axes, "too few different values\nfor a histogram")
    edges = np.linspace(-1.0, 1.0, BINS + 1)
    counts, _ = np.histogram(known, edges)
    middle = 0.5 * (edges[1:] + edges[:-1])
    width = float(edges[1] - edges[0])
    axes.bar(middle, counts / known.size * 100.0, width=width * 0.86, color=LIGHT["spread"])
    mean = float(known.mean())
    density = np.exp(-0.5 * ((middle - mean) / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    axes.plot(middle, density * width * 100.0, color=LIGHT["muted"], linewidth=1.1, linestyle="--", label="normal")
    axes.axvline(mean, color=LIGHT["net"], linewidth=1.4, label=f"mean {mean:.4f}")
    axes.set_xlabel("rank IC over the next bar")
    axes.legend(loc="upper right", fontsize=8)
    axes.set_ylim(top=float(max((counts / known.size).max(), density.max() * width)) * 118.0)
    axes.grid(False, axis="x")
    return figure


def draw_qq(sheet: Sheet) -> Figure:
    """Standardised rank ICs against the quantiles of a normal distribution."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Rank IC against a normal distribution")
    known = np.sort(_known(sheet.information.rank))
    spread = float(known.std(ddof=1)) if known.size > 1 else 0.0
    if known.size < MINIMUM_POINTS or spread == 0.0:
        return instead(figure, axes, "too few different values\nfor a comparison")
    scores, standard = normal_scores(known.size), (known - known.mean()) / spread
    # Evenly over the scores, not over the ranks: the tails are what is looked at.
    wanted = np.linspace(scores[0], scores[-1], min(QQ_POINTS, known.size))
    rows = np.unique(np.searchsorted(scores, wanted).clip(max=known.size - 1))
    reach = float(max(abs(scores[0]), abs(standard[0]), abs(standard[-1]))) * 1.05
    axes.plot([-reach, reach], [-reach, reach], color=LIGHT["muted"], linewidth=0.9, linestyle="--")
    axes.plot(scores[rows], standard[rows], linestyle="none", marker="o", markersize=2.6, color=LIGHT["net"])
    axes.set_xlabel("normal quantile, deviations")
    axes.set_ylabel("rank IC, deviations from its mean")
    return figure


def draw_months(table: Calendar) -> Figure:
    """The calendar of mean rank ICs as a picture; the page shows it as a table."""
    from matplotlib.colors import LinearSegmentedColormap

    figure = new_figure(8.6 if len(table.columns) == 12 else 14.0, 0.9 + 0.24 * len(table.rows))
    axes = figure.subplots()
    scale = calendar_scale(table)
    colours = LinearSegmentedColormap.from_list("cws", [LIGHT["loss"], LIGHT["paper"], LIGHT["gain"]])
    axes.imshow(table.values, cmap=colours, vmin=-scale, vmax=scale, aspect="auto")
    axes.set_xticks(range(len(table.columns)), list(table.columns))
    axes.set_yticks(range(len(table.rows)), list(table.rows))
    axes.grid(False)
    for row, column in np.argwhere(np.isfinite(table.values)):
        text = f"{table.values[row, column] * 100:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5)
    axes.set_title("Mean rank IC, hundredths")
    return figure


def calendar_scale(table: Calendar) -> float:
    """IC at which the heat map's colour is full: the 95th percentile of the sizes, at least 0.01."""
    sizes = np.abs(table.values[np.isfinite(table.values)])
    return max(float(np.quantile(sizes, 0.95)) if sizes.size else 0.0, 0.01)


def draw_sectors(sheet: Sheet) -> Figure:
    """Mean rank IC within each sector, with its interval."""
    sectors = sheet.information.sectors
    figure = new_figure(5.2, max(1.8, 0.9 + 0.3 * len(sectors)))
    axes = figure.subplots()
    axes.set_title("Next bar")
    if not sectors:
        return instead(figure, axes, "no sector is known\nto have three symbols")
    places = np.arange(len(sectors))[::-1].astype(np.float64)
    means = np.array([s.mean.mean for s in sectors], dtype=np.float64)
    _intervals(axes, means, [(s.mean.low, s.mean.high) for s in sectors], places)
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_yticks(places, [f"{s.name} ({s.symbols})" for s in sectors], parse_math=False)
    axes.set_ylim(-0.7, len(sectors) - 0.3)
    axes.set_xlabel("mean rank IC, 95 % interval")
    axes.grid(False, axis="y")
    return figure


def _intervals(
    axes: Axes, means: FloatArray, ends: list[tuple[float | None, float | None]], places: FloatArray
) -> None:
    for mean, (low, high), place in zip(means, ends, places, strict=True):
        colour = LIGHT["gain" if mean > 0.0 else "loss"]
        if low is not None and high is not None:
            axes.plot([low, high], [place, place], color=colour, linewidth=1.6)
        axes.plot([mean], [place], marker="o", markersize=5.5, color=colour)


def draw_decay_ic(sheet: Sheet) -> Figure:
    """Mean rank IC over growing horizons, with intervals for overlapping returns."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Mean rank IC by horizon")
    found = sheet.information.by_horizon
    draw_by_horizon(
        axes, [d.horizon_bars for d in found], [_triple(d.mean.mean, d.mean.low, d.mean.high) for d in found]
    )
    return figure


Triple = tuple[float, float, float]
"""Mean and the ends of its interval; NaN where unknown."""


def _triple(mean: float | None, low: float | None, high: float | None, scale: float = 1.0) -> Triple:
    return tuple(math.nan if v is None else v * scale for v in (mean, low, high))  # type: ignore[return-value]


def draw_by_horizon(axes: Axes, horizons: list[int], values: list[Triple]) -> None:
    """Points with intervals over horizons, evenly spaced and labelled in bars."""
    places = np.arange(len(horizons))
    means = np.array([v[0] for v in values])
    axes.plot(places, means, color=LIGHT["net"], linewidth=1.0, alpha=0.5)
    for place, (mean, low, high) in zip(places, values, strict=True):
        axes.plot([place, place], [low, high], color=LIGHT["net"], linewidth=1.6)
        axes.plot([place], [mean], marker="o", markersize=5.5, color=LIGHT["net"])
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_xticks(places, [str(h) for h in horizons])
    axes.set_xlabel("horizon, bars; 95 % interval")
    axes.grid(False, axis="x")


def _known(values: FloatArray) -> FloatArray:
    return values[~np.isnan(values)]
