"""Pictures of what was held and traded, and of what the return is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.report.charts_risk import clipped
from harness.report.drawing import POINTS, instead, new_figure
from harness.report.series import RunSeries
from harness.report.study import Study
from harness.report.theme import BANDS, LIGHT
from harness.report.timeline import Timeline
from modules.panel import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WRITTEN_ROWS = 10
"""A matrix of more is told by its colours alone: writing hundreds of figures takes longer than all the rest."""


def draw_exposure(series: RunSeries, study: Study) -> Figure:
    """Long, short and net share of NAV, above the number of positions."""
    figure = new_figure(10.4, 3.9)
    top, low = figure.subplots(2, 1, sharex=True, height_ratios=[2.0, 1.0])
    found, ts = study.exposure, series.account.ts
    time = Timeline(ts)
    for name, values, colour in (
        ("long", found.long, "gain"),
        ("short", found.short, "loss"),
        ("net", found.net, "net"),
    ):
        time.line(top, ts, values * 100.0, colour, label=name, linewidth=1.0)
    top.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    top.set_title("Exposure, % of NAV")
    top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2)
    for name, counts, colour in (("long", found.longs, "gain"), ("short", found.shorts, "loss")):
        time.line(low, ts, counts.astype(np.float64), colour, label=name, linewidth=0.9)
    low.set_ylim(bottom=0)
    low.set_title("Positions")
    time.label(low)
    return figure


def draw_composition(series: RunSeries, study: Study) -> Figure:
    """Share of NAV by sector, longs above zero and shorts below."""
    found, ts = study.composition, series.account.ts
    figure = new_figure(10.4, 3.9)
    axes = figure.subplots()
    axes.set_title(f"Composition by {found.of}, % of NAV")
    if not found.names:
        return instead(figure, axes, "nothing was held")
    starts = np.unique(np.linspace(0, ts.size, min(ts.size, POINTS // 2) + 1).astype(np.int64))[:-1]
    when = Timeline(ts).places(ts[starts])
    for part in (found.long, found.short):
        mean = _bucket_means(part, starts) * 100.0
        edge = np.zeros(starts.size)
        for k in range(len(found.names)):
            label = found.names[k] if part is found.long else None
            axes.fill_between(
                when,
                edge,
                edge + mean[:, k],
                color=LIGHT[BANDS[k]],
                linewidth=0,
                label=label,
                step="post" if starts.size < 3 else None,
            )
            edge = edge + mean[:, k]
    axes.axhline(0.0, color=LIGHT["ink"], linewidth=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    Timeline(ts).label(axes)
    return figure


def _bucket_means(values: FloatArray, starts: IntArray) -> FloatArray:
    sizes = np.diff(np.append(starts, values.shape[0]))
    means: FloatArray = np.add.reduceat(values, starts, axis=0) / sizes[:, np.newaxis]
    return means


def draw_trips(study: Study) -> Figure:
    """Returns of the round trips that ended, longs and shorts."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Return of a round trip, %")
    trips = study.trips
    done = ~trips.open
    if not done.any():
        return instead(figure, axes, "no round trip ended")
    returns = trips.returns * 100.0
    low, high = clipped(returns[done])
    bins = np.linspace(low, high, min(61, 5 + int(np.sqrt(done.sum())))).tolist()
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=0.8)
    _counted_by_side(axes, np.clip(returns[done], low, high), trips.side[done], bins)
    return figure


def draw_held(study: Study) -> Figure:
    """How long the round trips that ended lasted."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Bars from the first fill of a trip to its last")
    trips = study.trips
    done = ~trips.open
    if not done.any():
        return instead(figure, axes, "no round trip ended")
    longest = max(1, int(np.quantile(trips.bars[done], 0.99)))
    step = max(1, -(-longest // 40))
    bins = np.arange(-0.5, longest + step + 0.5, step).tolist()
    _counted_by_side(axes, np.minimum(trips.bars[done], longest), trips.side[done], bins)
    return figure


def _counted_by_side(axes: Axes, values: FloatArray | IntArray, sides: IntArray, bins: list[float]) -> None:
    """How many trips in each bin, longs and shorts apart."""
    for side, name, colour in ((1, "long", "gain"), (-1, "short", "loss")):
        chosen = values[sides == side]
        if chosen.size:
            axes.hist(chosen, bins=bins, histtype="step", color=LIGHT[colour], label=name, linewidth=1.3)
    axes.legend(loc="upper right", fontsize=8)
    axes.set_ylabel("trips")


def draw_attribution(study: Study) -> Figure:
    """What each factor, and what is left, brought a year."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Mean net return a year by factor, %")
    found = study.given if study.given is not None and study.given.loadings else study.own
    if not found.loadings or found.alpha is None:
        return instead(figure, axes, found.why)
    names = [*(f.name for f in found.loadings), "alpha"]
    values = np.array([*(f.contribution for f in found.loadings), found.alpha]) * 100.0
    places = np.arange(len(names))[::-1]
    axes.barh(places, values, color=[LIGHT["gain"] if v > 0 else LIGHT["loss"] for v in values], height=0.6)
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.set_yticks(places, names)
    axes.grid(False, axis="y")
    return figure


def draw_heat(study: Study) -> Figure:
    """Where in the calendar was traded, and what the bars there returned; the page shows both as tables."""
    found = study.heat
    figure = new_figure(10.4, 1.1 + 0.32 * len(found.rows))
    for axes, title, values in zip(
        figure.subplots(1, 2),
        ("Share of all traded, %", "Mean net return a bar, bps"),
        (found.traded * 1e2, found.net * 1e4),
        strict=True,
    ):
        _matrix(axes, values, found.rows, found.columns, "{:.1f}", title)
    return figure


def draw_correlation(study: Study) -> Figure:
    """The matrix as a picture; the page shows it as a table."""
    found = study.correlation
    side = 1.6 + 0.36 * len(found.names)
    figure = new_figure(side + 0.6, side)
    _matrix(figure.subplots(), found.values, found.names, found.names, "{:.2f}", "Correlation of bar returns", 1.0)
    return figure


def _matrix(
    axes: object,
    values: FloatArray,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    text: str,
    title: str,
    full: float | None = None,
) -> None:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap

    assert isinstance(axes, Axes), "drawn on axes"
    known = np.abs(values[np.isfinite(values)])
    scale = full or max(float(known.max(initial=0.0)), 1e-9)
    colours = LinearSegmentedColormap.from_list("cws", [LIGHT["loss"], LIGHT["paper"], LIGHT["gain"]])
    axes.imshow(values, cmap=colours, vmin=-scale, vmax=scale, aspect="auto")
    axes.set_xticks(range(len(columns)), list(columns), fontsize=7, rotation=90 if max(map(len, columns)) > 4 else 0)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=7)
    axes.grid(False)
    if len(rows) <= MOST_WRITTEN_ROWS:
        for r, c in np.argwhere(np.isfinite(values)):
            axes.text(c, r, text.format(values[r, c]), ha="center", va="center", fontsize=6)
    axes.set_title(title)
