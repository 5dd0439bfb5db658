"""Pictures of the gap to the vector result, and of capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.report.beside import Beside
from harness.report.drawing import Chart, instead, new_figure
from harness.report.text import money
from harness.report.theme import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.vector.gap import Gap


def charts(beside: Beside) -> tuple[Chart, ...]:
    """Those for which there is something to draw."""
    found = []
    if beside.gap is not None:
        gap = beside.gap
        found.append(Chart("gap", "From the vector result to the account, a friction at a time", lambda: draw_gap(gap)))
    if beside.curve:
        found.append(Chart("capacity", "Net Sharpe ratio by capital", lambda: draw_capacity(beside)))
    return tuple(found)


def draw_gap(gap: Gap) -> Figure:
    """A waterfall from the vector result's return to the recorded one, basis points a year."""
    shown = [p for p in gap.parts if abs(p.annual_bps) >= 0.05]
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Return, bps a year")
    names = ["vector result", *(p.cause for p in shown), "recorded run"]
    places = np.arange(len(names))[::-1]
    level = gap.vector.annual_bps
    axes.barh(places[0], level, color=LIGHT["gross"], height=0.6)
    for place, part in zip(places[1:-1], shown, strict=True):
        axes.barh(
            place, part.annual_bps, left=level, color=LIGHT["gain" if part.annual_bps > 0 else "loss"], height=0.6
        )
        level += part.annual_bps
    axes.barh(places[-1], gap.recorded.annual_bps, color=LIGHT["net"], height=0.6)
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=0.8)
    axes.use_sticky_edges = False  # else the longest bar ends where the picture does
    axes.set_yticks(places, names, fontsize=8)
    axes.grid(False, axis="y")
    return figure


def draw_capacity(beside: Beside) -> Figure:
    """Net Sharpe ratio over capital, the run's own and the half-way point marked."""
    figure = new_figure(5.2, 3.1)
    axes = figure.subplots()
    axes.set_title("Net Sharpe ratio by capital, USD")
    known = [(c.capital_usd, c.net_sharpe) for c in beside.curve if c.net_sharpe is not None]
    if len(known) < 2:
        return instead(figure, axes, "fewer than two capitals\nhave a Sharpe ratio")
    capital, sharpe = (np.array(column) for column in zip(*known, strict=True))
    axes.plot(np.log10(capital), sharpe, color=LIGHT["net"], marker="o", markersize=4)
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8)
    found = beside.capacity
    if found is not None:
        axes.scatter(
            [np.log10(found.own)], [found.own_sharpe], s=90, facecolors="none", edgecolors=LIGHT["ink"], zorder=3
        )
        if found.half is not None:
            axes.axvline(np.log10(found.half), color=LIGHT["loss"], linewidth=1.0)
            axes.text(
                np.log10(found.half),
                float(sharpe.max()),
                f" half gone\n {money(found.half)}",
                color=LIGHT["loss"],
                fontsize=8,
                va="top",
            )
    axes.set_xticks(np.log10(capital), [money(c) for c in capital])
    return figure
